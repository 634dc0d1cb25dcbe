export { type OpenSessionsOptions, openSessions, type Sessions } from "./server/open-sessions.ts";
export { openStore, type StoreSettings } from "./server/open-store.ts";
export { outageAtStart } from "./server/outage.ts";
export { type SecurityWebhookOptions, securityWebhook } from "./server/security-webhook.ts";
