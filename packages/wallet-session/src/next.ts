export { type SessionGuard, sessionGuard } from "./next/guard.ts";
export { sessionProxy } from "./next/proxy.ts";
export { routes } from "./next/routes.ts";
export { sharedSessions } from "./next/shared-sessions.ts";
