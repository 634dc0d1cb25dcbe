import { SessionError } from "../errors.ts";
import { liveSession, validClaims } from "./authenticate.ts";
import type { EngineContext } from "./context.ts";
import type { IntrospectedToken, SessionEngine } from "./session-engine.ts";

/** `SessionEngine.introspect`: by the row, and by the revocations that a store which came back older has lost. */
export async function introspect(
  context: EngineContext,
  token: string,
  inspectRefreshToken: SessionEngine["inspectRefreshToken"],
): Promise<IntrospectedToken | null> {
  try {
    const claims = await validClaims(context, token);
    const session =
      claims === null ? await inspectRefreshToken(token) : await liveSession(context, claims.sid);
    return context.revocations.has(session.id) ? null : { session, claims };
  } catch (error) {
    if (error instanceof SessionError && error.status < 500) return null;
    throw error;
  }
}
