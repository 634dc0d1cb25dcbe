"use server";

import { guard, sessions } from "../../sessions";

export async function endOtherSessions() {
  const { actorId, sessionId } = await guard.require("/account", { fresh: true });
  await sessions.engine.revokeSessions(actorId, sessionId);
}
