export { Settings } from "./config/settings.ts";
export { BadValue, integer } from "./config/values.ts";
export { ProblemError } from "./errors.ts";
export { type BodyMembers, readJsonBody, textMember } from "./http/request/body.ts";
export { queryValue } from "./http/request/query.ts";
export { retryKeyFromHeader } from "./http/request/retry-key.ts";
export { securityHeaders } from "./http/security-headers.ts";
