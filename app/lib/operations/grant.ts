import type { RevocationReason } from "wallet-session";
import type { PauseReason } from "./tables.ts";

/** What has become of the session under which an operation runs: `SessionEngine.standing`. */
export type Standing =
  | { readonly status: "live" | "expired" | "unknown" }
  | { readonly status: "revoked"; readonly reason: RevocationReason; readonly revokedAt: number };

/** Why an operation must pause, and since when its grant is void. */
export interface GrantEnd {
  readonly reason: PauseReason;
  readonly endedAt: number;
}

/**
 * The sign-in that replaces a session in its browser is there just before the session ends: it took the wallet's signature,
 * and counts as newer.
 */
const REPLACED_WITHIN_MS = 10_000;

/**
 * Null while the grant holds. A session that ran out, or was pruned after it had, takes nothing back: only who ends a session
 * says that no more is to happen in its name.
 */
export function grantEnd(standing: Standing): GrantEnd | null {
  if (standing.status !== "revoked") return null;
  const { reason, revokedAt } = standing;
  return {
    reason: reason === "reuse" ? "reuse_detected" : "session_revoked",
    endedAt: reason === "replaced" ? revokedAt - REPLACED_WITHIN_MS : revokedAt,
  };
}
