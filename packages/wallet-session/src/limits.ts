const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const ACCESS_TOKEN_TTL_MS = 15 * MINUTE;
export const REFRESH_IDLE_TTL_MS = 7 * DAY;
export const REFRESH_ABSOLUTE_TTL_MS = 30 * DAY;
/** An app's own claims in an access token, in JSON: a cookie has room for 4 KiB. */
export const OWN_CLAIMS_MAX_BYTES = 1_024;
/** All audiences of an access token together. */
export const AUDIENCES_MAX_CHARS = 512;
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
/** A node's clock may leap so far, either way, and be set right later: no access token of an ended session lives again by that. */
export const CLOCK_LEAP_MS = 1 * HOUR;

/**
 * How old the challenge under a proof may be. A browser keeps the next one for as long as its cookie lives, and a rotation spends it
 * anyway.
 */
export const ROTATION_CHALLENGE_MAX_AGE_MS = 1 * HOUR;
/** A browser that has registered a device key keeps its access cookie for so long, and so proves the key soon. */
export const FIRST_PROOF_DUE_MS = 1 * MINUTE;
/** `DEVICE_BINDING=require`: how long after its registration a browser may refresh without a proof: requests are under way. */
export const FIRST_PROOF_MUST_MS = 2 * MINUTE;
/** The access cookie of a bound session ends so long before its token, or a quarter of its life: the browser sees the end first. */
export const BOUND_COOKIE_EARLY_MS = 5 * SECOND;
/** Browsers make six signatures in nine minutes. With shorter access tokens they would run out of them. */
export const DEVICE_BINDING_ACCESS_TTL_MIN_MS = 5 * MINUTE;
/** A nonce for requests (RFC 9449, §8), which only says that a proof is new. */
export const REQUEST_NONCE_MAX_AGE_MS = 5 * MINUTE;
/** How far the time in a proof without a nonce may be from ours; the clock of a client that is further off needs a nonce. */
export const PROOF_TIME_TOLERANCE_MS = 1 * MINUTE;
/** A request's proof stays marked so long beyond its end, for nodes whose clocks are behind. */
export const REQUEST_PROOF_MARK_KEPT_MS = 1 * MINUTE;
/** A step-up takes a device key that was proved within this time. */
export const DEVICE_STEP_UP_MS = 10 * SECOND;
/** How often the owner of a bound session is told that somebody could not prove its key. */
export const PROOF_FAILURES_TOLD_MS = 1 * HOUR;

/** A new signing key is published for this long before it signs: longer than verifiers cache the JWKS. */
export const SIGNING_KEY_LEAD_MS = 10 * MINUTE;

/** Ended sessions are kept this long, so that their tokens are still called expired or revoked rather than unknown. */
export const ENDED_SESSION_KEPT_MS = 7 * DAY;
/** An operator who ends all sessions ends so many in one step. */
export const REVOKE_BATCH_ROWS = 500;

/** Sessions in one list. */
export const SESSIONS_LISTED = 200;
/** Alarms in one list. */
export const SESSION_ALARMS_LISTED = 50;

/** A sign-out or a sign-in ends so many sessions of a jar in which it cannot tell which is the jar's own. */
export const UNTIED_TOKENS_ENDED = 8;

export const REFRESH_BODY_MAX_BYTES = 4 * 1_024;
export const SIGN_IN_BODY_MAX_BYTES = 64 * 1_024;
/** Members of a JSON object or a form. */
export const BODY_MEMBERS_MAX = 1_000;
/** Media ranges that are read of an `Accept`. */
export const ACCEPT_RANGES_MAX = 100;

export const RATE_LIMIT_WINDOW_MS = 1 * MINUTE;
/** So many clients or sessions each rate limit counts at one time: about 3 MB. */
export const RATE_LIMIT_KEYS_MAX = 20_000;

/** No browser sends a longer one, and those who read it run many patterns over it. */
export const USER_AGENT_MAX_CHARS = 512;
/** Under Next, a word of it: letters, digits, `_` and `-`. */
export const USER_AGENT_WORD_MAX_CHARS = 64;
/** Under Next, lines of a head: one with more is refused, as Apache and Tomcat refuse it. */
export const HEADER_LINES_MAX = 100;
/** Under Next, parameters of a query: those after so many are dropped. */
export const QUERY_PAIRS_MAX = 100;
/** Under Next, path and query, once parameters were dropped: a longer one is refused, as Apache and nginx refuse it. */
export const URL_MAX_CHARS = 8 * 1_024;
/** Under Next: of more cookies, ours are kept and as many others as every browser keeps for a site (RFC 6265 §6.1). */
export const COOKIES_MAX = 100;
export const OTHER_COOKIES_KEPT = 50;

/** `wallet-session serve`: its limits for one connection. */
export const HTTP_HEADER_MAX_BYTES = 16 * 1_024;
export const HTTP_HEADERS_TIMEOUT_MS = 10 * SECOND;
/** A request must have arrived by then, body and all. */
export const HTTP_REQUEST_TIMEOUT_MS = 30 * SECOND;
/** Under Next, where an app may take uploads, a body has the same time, and one second more for so many bytes. */
export const HTTP_BODY_MIN_BYTES_PER_SECOND = 1_000;
export const NEXT_CONNECTIONS_CHECK_MS = 1 * SECOND;
/** Longer than proxies keep an idle connection (60 s mostly): the side that sends must be the one that ends it. */
export const HTTP_KEEP_ALIVE_MS = 65 * SECOND;
export const HTTP_TIMEOUTS_CHECK_MS = 5 * SECOND;
/** How long a process that was told to stop has for its open requests. */
export const SHUTDOWN_TIMEOUT_MS = 10 * SECOND;
/** The part of it that is kept back for the store and the rest, once the connections are cut. */
export const SHUTDOWN_RESERVE_MS = 500;

/** Live sessions are counted for the metrics no more often than this. */
export const LIVE_SESSIONS_COUNTED_MS = 30 * SECOND;

/** Of the log lines of one kind so many are written in each window, and of the rest the number. */
export const LOG_WINDOW_MS = 10 * SECOND;
export const LOG_LINES_PER_WINDOW = 50;
/** For lines about ended sessions, which an operator may have to find one by one. */
export const LOG_SECURITY_LINES_PER_WINDOW = 1_000;
/** Sessions that one line names. */
export const LOG_SESSION_IDS = 20;
export const LOG_FAULT_MAX_CHARS = 1_000;

/** `wallet-session doctor`: how long another machine may take to answer, and from when on a store counts as slow. */
export const DOCTOR_FETCH_TIMEOUT_MS = 3 * SECOND;
export const STORE_SLOW_MS = 50;

export const HORIZON_TIMEOUT_MS = 5 * SECOND;
export const STORE_RETRY_AFTER_SECONDS = 2;
/** All that one step of a store waits for, tries included, ends after this long: an answer is due within 2 s. */
export const STORE_STEP_TIMEOUT_MS = 1.5 * SECOND;

/** PostgreSQL: what one process opens for its steps at most. */
export const POSTGRES_CONNECTIONS = 10;
/** The server gives a statement up after this long: before its step does. */
export const POSTGRES_STATEMENT_TIMEOUT_MS = 1.4 * SECOND;
/** A migration may build indexes, or wait for another process that does. */
export const POSTGRES_MIGRATION_TIMEOUT_MS = 1 * MINUTE;
/** Sessions that one statement counts: far fewer than it could in its time. */
export const POSTGRES_COUNTED_ROWS = 20_000;
/** How often a step is begun that can safely be begun again, and the pause before the second time; then twice that. */
export const POSTGRES_TRIES = 4;
export const POSTGRES_RETRY_MS = 25;
/** How long after the connection that wakes was lost the next one is tried, and how often it is asked whether it still answers. */
export const POSTGRES_LISTEN_AGAIN_MS = 500;
export const POSTGRES_LISTEN_PING_MS = 5 * SECOND;

/** Redis: how often a step is begun, and the pause before the second time; then twice that. */
export const REDIS_TRIES = 4;
export const REDIS_RETRY_MS = 25;
/** Rotations that one script runs at most: all else waits for it, for less than a tenth of a millisecond. */
export const REDIS_ROTATIONS_MAX = 16;
/** Writes that wait for the disk go in batches: the next one as soon as the last is done, or after this long... */
export const REDIS_BATCH_MS = 100;
/** ...on as many connections as can be waiting at once: more than what fits into the second after which the disk is written. */
export const REDIS_BATCH_CONNECTIONS = 16;
/** How long after a lost subscription the next one is tried. */
export const REDIS_RESUBSCRIBE_MS = 500;
