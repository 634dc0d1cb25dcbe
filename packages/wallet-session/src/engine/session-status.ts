import type { SessionRecord } from "../store.ts";
import type { SessionStatus } from "./session-engine.ts";

/** Past its idle or its absolute limit. Says nothing about a revocation. */
export function isPastEnd(session: SessionRecord, now: number): boolean {
  return session.idleExpiresAt <= now || session.expiresAt <= now;
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
