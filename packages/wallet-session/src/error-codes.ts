/** What an error code means to the outside. */
export interface ErrorMeaning {
  /** Of the answer. */
  readonly status: number;
  readonly title: string;
  /** These credentials cannot be renewed: to their client the session is over. */
  readonly ends?: true;
  /**
   * A guard's 401, which another access token may cure. `session_revoked` also ends a session: the request was refused for
   * it, but by now the cookie jar may hold the session of a newer sign-in.
   */
  readonly curable?: true;
}

const MEANINGS = {
  invalid_request: { status: 400, title: "Invalid request" },
  challenge_invalid: { status: 400, title: "Challenge not valid" },
  challenge_expired: { status: 401, title: "Challenge expired" },
  challenge_used: { status: 401, title: "Challenge already used" },
  signature_invalid: { status: 401, title: "Signature not valid" },
  unsupported_grant_type: { status: 400, title: "Grant type not supported" },
  invalid_client: { status: 401, title: "Client not known" },
  refresh_token_missing: { status: 401, title: "Refresh token missing", ends: true },
  refresh_token_invalid: { status: 401, title: "Refresh token not valid", ends: true },
  refresh_token_expired: { status: 401, title: "Refresh token expired", ends: true },
  refresh_token_revoked: { status: 401, title: "Refresh token revoked", ends: true },
  refresh_token_reused: { status: 401, title: "Refresh token reused", ends: true },
  access_token_missing: { status: 401, title: "Access token missing", curable: true },
  access_token_invalid: { status: 401, title: "Access token not valid", curable: true },
  access_token_expired: { status: 401, title: "Access token expired", curable: true },
  session_revoked: { status: 401, title: "Session revoked", ends: true, curable: true },
  // Of a bound session: they end nothing, since its holder has the key.
  proof_missing: { status: 401, title: "Proof missing" },
  proof_invalid: { status: 401, title: "Proof not valid" },
  proof_nonce: { status: 401, title: "Proof needs a nonce" },
  // Not by who asks, but by how long ago they have shown it (RFC 9470).
  insufficient_user_authentication: { status: 401, title: "Needs a signature now" },
  cross_origin: { status: 403, title: "Request from another origin" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  not_acceptable: { status: 406, title: "Not acceptable" },
  body_too_large: { status: 413, title: "Body too large" },
  unsupported_media_type: { status: 415, title: "Unsupported media type" },
  rate_limited: { status: 429, title: "Too many requests" },
  // Not a refusal: a fault of this server that has no name.
  internal_error: { status: 500, title: "Internal error" },
  store_unavailable: { status: 503, title: "Store unavailable" },
  proof_unavailable: { status: 503, title: "Proof not possible now" },
  horizon_unavailable: { status: 503, title: "Horizon unavailable" },
} as const satisfies Record<string, ErrorMeaning>;

/** A code of this package. Closed: a new code is a change of the contract (docs/api.md). */
export type ErrorCode = keyof typeof MEANINGS;

/** The codes whose meaning has this property. The client, which does not ship the table, holds its own lists to it. */
export type ErrorCodeThat<Property extends "ends" | "curable"> = {
  [Code in ErrorCode]: (typeof MEANINGS)[Code] extends Record<Property, true> ? Code : never;
}[ErrorCode];

/** What each code means: the one table that statuses, titles and the handling of codes come from. */
export const ERROR_MEANINGS: Readonly<Record<ErrorCode, ErrorMeaning>> = MEANINGS;

/** Every code that the outside can meet. */
export const ERROR_CODES: readonly ErrorCode[] = Object.keys(MEANINGS) as ErrorCode[];
