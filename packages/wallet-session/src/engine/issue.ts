import type { SessionRecord } from "../store.ts";
import type { EngineContext } from "./context.ts";
import type { IssuedTokens } from "./session-engine.ts";

/** A fresh access token beside the session's refresh token. `now`: when the answer was decided. Writes nothing. */
export async function issueTokens(
  context: EngineContext,
  session: SessionRecord,
  refreshToken: string,
  now: number,
): Promise<IssuedTokens> {
  const { token, claims } = await context.accessTokens.sign(session);
  return {
    accessToken: token,
    expiresInSeconds: claims.exp - claims.iat,
    refreshToken,
    refreshExpiresInSeconds: secondsLeft(session, now),
    session,
  };
}

/** Whole seconds until the session ends unless it is refreshed. */
export function secondsLeft(session: SessionRecord, now: number): number {
  return Math.max(0, Math.floor((Math.min(session.idleExpiresAt, session.expiresAt) - now) / 1000));
}
