const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const ACCESS_TOKEN_TTL_MS = 15 * MINUTE;
export const REFRESH_IDLE_TTL_MS = 7 * DAY;
export const REFRESH_ABSOLUTE_TTL_MS = 30 * DAY;
/** For sessions signed in by cookie; sessions by body have none. */
export const REFRESH_LEEWAY_MS = 30 * SECOND;
/** The leeway is at most this share of the access token's life, so that a jar is renewed well before its token ends. */
export const REFRESH_LEEWAY_MAX_SHARE = 1 / 4;

/** A challenge is good for this long. */
export const CHALLENGE_TTL_MS = 5 * MINUTE;
/**
 * A challenge that was answered stays marked this long beyond its end: an answer verified just before the end may be
 * written well after it, and a clock may be behind, or be set back.
 */
export const CHALLENGE_MARK_KEPT_MS = 1 * HOUR;
/** How far the clocks of two nodes may be apart before tokens and challenges from "the future" are refused. */
export const CLOCK_TOLERANCE_MS = 5 * SECOND;

/** How often the revocation log is read. */
export const REVOCATION_POLL_MS = 1 * SECOND;
/** From this age on, a node's view of the revocations no longer counts as fresh. */
export const REVOCATION_VIEW_MAX_AGE_MS = 10 * SECOND;
/** The log keeps an entry this long beyond the life of an access token, for nodes that were away. */
export const REVOCATION_LOG_KEPT_MS = 1 * HOUR;
export const REVOCATION_PAGE_ENTRIES = 1_000;

/** A new signing key is published for this long before it signs: longer than verifiers cache the JWKS. */
export const SIGNING_KEY_LEAD_MS = 10 * MINUTE;
/** How often a node takes over signing keys that other nodes have added: several times within the lead. */
export const SIGNING_KEY_POLL_MS = 1 * MINUTE;
export const JWKS_MAX_AGE_MS = 5 * MINUTE;
/** A token with an unknown key id makes a node read the keys again, no more often than this. */
export const SIGNING_KEY_RELOAD_MS = 5 * SECOND;

/** Ended sessions are kept this long, so that their tokens are still called expired or revoked rather than unknown. */
export const ENDED_SESSION_KEPT_MS = 7 * DAY;
export const PRUNE_INTERVAL_MS = 10 * MINUTE;
export const PRUNE_BATCH_ROWS = 500;

/** Sessions in one list. */
export const SESSIONS_LISTED = 200;
/** Verified access tokens that a process remembers. */
export const VERIFIED_TOKENS_REMEMBERED = 10_000;
export const ACCESS_TOKEN_MAX_CHARS = 4_096;

export const RETRY_KEY_MIN_CHARS = 16;
export const RETRY_KEY_MAX_CHARS = 128;

export const REFRESH_BODY_MAX_BYTES = 4 * 1_024;
export const SIGN_IN_BODY_MAX_BYTES = 64 * 1_024;

/** For one address (IPv6: one /64). Far above what one household or office does. */
export const CHALLENGES_PER_MINUTE = 600;
/** Challenges that name a client domain, each of which makes this server ask another one. */
export const CLIENT_DOMAINS_PER_MINUTE = 60;
export const SIGN_INS_PER_MINUTE = 300;
/** For one session. An honest one refreshes a few times an hour. */
export const REFRESHES_PER_MINUTE = 120;

export const HORIZON_TIMEOUT_MS = 5 * SECOND;
export const STORE_RETRY_AFTER_SECONDS = 2;
