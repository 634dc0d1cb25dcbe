export { openStore, type StoreSettings } from "./server/open-store.ts";
export { outageAtStart } from "./server/outage.ts";
export { type SecurityWebhookOptions, securityWebhook } from "./server/security-webhook.ts";
export { createSessions, type Sessions, type SessionsOptions } from "./server/sessions.ts";
