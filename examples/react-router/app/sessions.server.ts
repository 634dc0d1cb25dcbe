import { createSessions } from "wallet-session/server";

export const sessions = createSessions();
await sessions.start();
