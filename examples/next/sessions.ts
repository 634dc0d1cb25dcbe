import { sessionGuard } from "wallet-session/next";
import { openSessions } from "wallet-session/server";

export const sessions = openSessions();
export const guard = sessionGuard(sessions, { signInPath: "/sign-in" });
