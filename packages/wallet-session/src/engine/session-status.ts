import type { RevocationReason, SessionId, SessionRecord } from "../store.ts";
import type { EngineContext } from "./context.ts";
import { isPastEnd } from "./rotate.ts";

/** What has become of a session, as its row says. A revoked one stays revoked when it is past its end as well. */
export type SessionStatus =
  | {
      readonly status: "live";
      readonly createdAt: number;
      readonly rotatedAt: number;
      readonly idleExpiresAt: number;
      readonly expiresAt: number;
    }
  | {
      readonly status: "revoked";
      readonly createdAt: number;
      readonly reason: RevocationReason;
      readonly revokedAt: number;
    }
  /** Past its idle or its absolute limit. */
  | { readonly status: "expired"; readonly createdAt: number }
  /** There is no such row: never was, or pruned long after its end. */
  | { readonly status: "unknown" };

/** What has become of a session, by its row, read now. @throws store_unavailable */
export async function getSessionStatus(
  { store, clock }: EngineContext,
  id: SessionId,
): Promise<SessionStatus> {
  return statusOf(await store.findSession(id), clock.now());
}

export function statusOf(session: SessionRecord | null, now: number): SessionStatus {
  if (session === null) return { status: "unknown" };
  const { createdAt, rotatedAt, idleExpiresAt, expiresAt, revokedAt, revokedReason } = session;
  if (revokedAt !== null) {
    return { status: "revoked", createdAt, reason: revokedReason ?? "ended", revokedAt };
  }
  if (isPastEnd(session, now)) return { status: "expired", createdAt };
  return { status: "live", createdAt, rotatedAt, idleExpiresAt, expiresAt };
}
