import type { AuthenticatedSession } from "wallet-session";
import { sessions } from "../auth.ts";
import { type IdempotentRequest, keptAnswer } from "../http/idempotency.ts";
import { readAppSettings } from "../settings.ts";
import { streamsContext } from "./context.ts";
import { accruedAt } from "./stream.ts";
import { findStream } from "./stream-store.ts";

/**
 * Whether a withdrawal may go on, or what is to be answered instead: above `PAYOUT_SIGNED_ABOVE` the recipient's wallet signs this
 * very withdrawal. One that was answered before, and one that is refused anyway, need no signature.
 * @throws insufficient_user_authentication, challenge_used, and what the wallet refuses
 */
export async function confirmPayout(
  request: Request,
  session: AuthenticatedSession,
  streamId: string,
  idempotent: IdempotentRequest | null,
): Promise<Response | null> {
  const { payoutSignedAbove } = readAppSettings(process.env);
  if (payoutSignedAbove === null) return null;
  const { sql, clock } = await streamsContext();
  const found = await findStream(sql.db, streamId, session.actorId);
  if (found?.role !== "recipient" || (await keptAnswer(sql.db, idempotent)) !== null) return null;
  const { stream, version } = found.record;
  if (accruedAt(stream, clock.now()) - stream.withdrawn <= payoutSignedAbove) return null;
  const action = `withdraw from stream ${stream.id} at version ${version}`;
  return sessions.handlers.stepUp(request, session, { action });
}
