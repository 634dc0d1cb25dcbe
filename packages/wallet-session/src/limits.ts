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

/** How often the revocation log is read, also where nothing wakes: what another node has revoked is refused within a second. */
export const REVOCATION_POLL_MS = 0.5 * SECOND;
/** From this age on, a node's view of the revocations no longer counts as fresh. */
export const REVOCATION_VIEW_MAX_AGE_MS = 10 * SECOND;
/** The log keeps an entry this long beyond the life of an access token, for nodes that were away. */
export const REVOCATION_LOG_KEPT_MS = 1 * HOUR;
export const REVOCATION_PAGE_ENTRIES = 1_000;
/**
 * So many of the last revocations a node can put back into a store that has lost them: some 8 MB. A store that is set back
 * further than that has lost more than its nodes can know.
 */
export const REVOCATIONS_REMEMBERED = 50_000;
/** How many of them between two readings of the log, and how many at the same time: requests need the store as well. */
export const REASSERTIONS_PER_POLL = 1_000;
export const REASSERTIONS_AT_ONCE = 4;

/** How often all leases are looked after. */
export const LEASE_TICK_MS = 1 * SECOND;
/** A follower is warned this long before the session has to be renewed... */
export const LEASE_WARNING_MS = 1 * MINUTE;
/** ...or this share of the access token's life before, where that is less. */
export const LEASE_WARNING_SHARE = 1 / 4;
/** How often a session's row is read once its end is near: another process may have renewed it. */
export const LEASE_LOOK_MS = 2 * SECOND;

/** A new signing key is published for this long before it signs: longer than verifiers cache the JWKS. */
export const SIGNING_KEY_LEAD_MS = 10 * MINUTE;
/** How often a node takes over signing keys that other nodes have added: several times within the lead. */
export const SIGNING_KEY_POLL_MS = 1 * MINUTE;
export const JWKS_MAX_AGE_MS = 5 * MINUTE;
/** A token with an unknown key id makes a node read the keys again, no more often than this. */
export const SIGNING_KEY_RELOAD_MS = 5 * SECOND;

/** Ended sessions are kept this long, so that their tokens are still called expired or revoked rather than unknown. */
export const ENDED_SESSION_KEPT_MS = 7 * DAY;
/** Security events that nobody has taken for so long are given up. */
export const SECURITY_EVENTS_KEPT_MS = 7 * DAY;
export const PRUNE_INTERVAL_MS = 10 * MINUTE;
/** Of each kind. A batch is one step of an embedded store, and whoever refreshes meanwhile waits for it. */
export const PRUNE_BATCH_ROWS = 25;
/** After a batch, pruning rests for so many times as long as that took. */
export const PRUNE_REST = 3;
/** Of an operator who ends all sessions: as many in one step. */
export const REVOKE_BATCH_ROWS = 500;

/** Sessions in one list. */
export const SESSIONS_LISTED = 200;
/** Alarms in one list. */
export const SESSION_ALARMS_LISTED = 50;
/** Verified access tokens that a process remembers. */
export const VERIFIED_TOKENS_REMEMBERED = 10_000;
export const ACCESS_TOKEN_MAX_CHARS = 4_096;

export const RETRY_KEY_MIN_CHARS = 16;
export const RETRY_KEY_MAX_CHARS = 128;
/** The longest that browsers keep a cookie. The key must outlive a closed browser as long as the refresh cookie does. */
export const RETRY_COOKIE_MAX_AGE_SECONDS = (400 * DAY) / SECOND;

/** A longer path of a page is not named in the way back to it: it stands there twice, escaped, in one header line. */
export const PAGE_PATH_MAX_CHARS = 1_024;

export const REFRESH_BODY_MAX_BYTES = 4 * 1_024;
export const SIGN_IN_BODY_MAX_BYTES = 64 * 1_024;

/** For one address (IPv6: one /64). Far above what one household or office does. */
export const CHALLENGES_PER_MINUTE = 600;
/** Challenges that name a client domain, each of which makes this server ask another one. */
export const CLIENT_DOMAINS_PER_MINUTE = 60;
export const SIGN_INS_PER_MINUTE = 300;
/** For one session. An honest one refreshes a few times an hour. */
export const REFRESHES_PER_MINUTE = 120;

/**
 * For one session at one time; one more ends the oldest. The tabs of a browser share one; the rest is for those whose end
 * was not noticed yet.
 */
export const EVENT_STREAMS_PER_SESSION = 8;
export const EVENT_STREAM_TICK_MS = 1 * SECOND;
/** A comment goes out after this long without an event, so that nobody in between takes the connection for dead. */
export const EVENT_STREAM_HEARTBEAT_MS = 15 * SECOND;
/** A reader that has taken nothing for this long is dropped. */
export const EVENT_STREAM_STALLED_MS = 1 * MINUTE;
/** Told to clients as `retry`: how long to wait before they connect again. */
export const EVENT_STREAM_RETRY_MS = 2 * SECOND;
export const LAST_EVENT_ID_MAX_CHARS = 128;

/** `wallet-session serve`: what it takes from one connection, and for how long. */
export const HTTP_HEADER_MAX_BYTES = 16 * 1_024;
export const HTTP_HEADERS_TIMEOUT_MS = 10 * SECOND;
/** A request must have arrived by then, body and all. */
export const HTTP_REQUEST_TIMEOUT_MS = 30 * SECOND;
/** Longer than proxies keep an idle connection (60 s mostly): who ends it first must be the one that sends on it. */
export const HTTP_KEEP_ALIVE_MS = 65 * SECOND;
export const HTTP_TIMEOUTS_CHECK_MS = 5 * SECOND;
/** How long a process that was told to stop has for what is being answered. */
export const SHUTDOWN_TIMEOUT_MS = 10 * SECOND;
/** Of that, what is kept back for the store and the rest, once the connections have been cut. */
export const SHUTDOWN_RESERVE_MS = 500;

/** Live sessions are counted for the metrics no more often than this. */
export const LIVE_SESSIONS_COUNTED_MS = 30 * SECOND;

/** How often a process looks for security events to deliver, and how long its claim to do so lasts. */
export const SECURITY_EVENTS_POLL_MS = 2 * SECOND;
export const SECURITY_EVENTS_CLAIM_MS = 30 * SECOND;
/** Events that are looked at together, and of these delivered at one time. */
export const SECURITY_EVENTS_BATCH = 100;
export const SECURITY_EVENTS_AT_ONCE = 8;
/** For one delivery. Much less than the claim. */
export const SECURITY_EVENT_TIMEOUT_MS = 10 * SECOND;
/** The pause after the first failure; then twice that, up to the longest one. */
export const SECURITY_EVENTS_RETRY_MS = 1 * SECOND;
export const SECURITY_EVENTS_RETRY_MAX_MS = 5 * MINUTE;
/** An event that was refused so often is given up: that takes about a quarter of an hour. */
export const SECURITY_EVENT_REFUSALS = 10;
/** What is being delivered has so long to end when the process stops. */
export const SECURITY_EVENTS_CLOSE_MS = 2 * SECOND;

/** Of the log lines of one kind so many are written in each window, and of the rest the number. */
export const LOG_WINDOW_MS = 10 * SECOND;
export const LOG_LINES_PER_WINDOW = 50;
/** Of those that tell of ended sessions, which somebody may have to find one by one. */
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
