export type { ApiPart } from "./openapi/document.ts";
export { eventStream, type Operation, STEP_UP } from "./openapi/operation.ts";
export * from "./openapi/schema.ts";
export { RETRY_KEY_HEADER } from "./openapi/session-schemas.ts";
