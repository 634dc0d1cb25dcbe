import type { LeaseEndCode } from "../../engine/session-engine.ts";
import type { SessionError } from "../../errors.ts";

/**
 * Why a page load is led to the sign-in page: the code with which an event stream of the session would have ended, or that the
 * operator has ended it.
 */
type SignInReason =
  | Extract<LeaseEndCode, "session_revoked" | "refresh_token_reused" | "refresh_token_expired">
  | "ended_by_operator";

/** Only the path and its query are looked at. */
const BASE = "https://here.invalid";

/**
 * `path` with the reason of the refusal as `?reason=`. Unchanged where the person knows the reason or there is none to tell: signed out here, signed in anew here, or a cookie that never was one of ours.
 */
export function withReason(path: string, refusal: SessionError): string {
  const reason = reasonOf(refusal);
  if (reason === null) return path;
  const { pathname, search, hash } = new URL(path, BASE);
  const query = new URLSearchParams(search);
  query.set("reason", reason);
  return `${pathname}?${query}${hash}`;
}

function reasonOf({ code, endedAs }: SessionError): SignInReason | null {
  // The row says more than the code: a page load that comes after the alarm is told of the alarm as well.
  if (code === "refresh_token_reused" || endedAs === "reuse") return "refresh_token_reused";
  if (code === "refresh_token_expired") return "refresh_token_expired";
  if (endedAs === "admin") return "ended_by_operator";
  return endedAs === "ended" ? "session_revoked" : null;
}
