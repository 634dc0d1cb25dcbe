import { sessionGuard, sharedSessions } from "wallet-session/next";

export const sessions = sharedSessions();
export const guard = sessionGuard(sessions, { signInPath: "/sign-in" });
