import type { RevocationReason, SessionId, SessionRecord } from "../store.ts";
import type { EngineContext } from "./context.ts";
import { isPastEnd } from "./rotate.ts";

/** What has become of a session, as its row says. A revoked one stays revoked when it is past its end as well. */
export type SessionStanding =
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

/** The standing of a session by its row, read now. @throws store_unavailable */
export async function standing({ store, clock }: EngineContext, id: SessionId): Promise<SessionStanding> {
  return standingOf(await store.findSession(id), clock.now());
}

export function standingOf(session: SessionRecord | null, now: number): SessionStanding {
  if (session === null) return { status: "unknown" };
  const { createdAt, rotatedAt, idleExpiresAt, expiresAt, revokedAt, revokedReason } = session;
  if (revokedAt !== null) {
    return { status: "revoked", createdAt, reason: revokedReason ?? "ended", revokedAt };
  }
  if (isPastEnd(session, now)) return { status: "expired", createdAt };
  return { status: "live", createdAt, rotatedAt, idleExpiresAt, expiresAt };
}
