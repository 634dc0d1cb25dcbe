import { type Stopwatch, systemStopwatch } from "../clock.ts";
import { SessionError } from "../errors.ts";
import { RATE_LIMIT_KEYS_MAX, RATE_LIMIT_WINDOW_MS } from "../limits.ts";
import { createBoundedCounts } from "./bounded-counts.ts";
import { clientNetwork, parseIp, truncatedIp } from "./request/ip-address.ts";

/** For one address (IPv6: one /64). Far above what one household or office does. */
export const CHALLENGES_PER_MINUTE = 600;
/** Challenges that name a client domain, each of which makes this server ask another one. */
export const CLIENT_DOMAINS_PER_MINUTE = 60;
export const SIGN_INS_PER_MINUTE = 300;
/** For one session. An honest one refreshes a few times an hour. */
export const REFRESHES_PER_MINUTE = 120;
/** Introspections by nobody that is known. Those of known clients are not counted. */
export const STRANGERS_PER_MINUTE = 60;
/** A /48 of IPv6 has 65,536 networks of clients, and one person can have all of it: it may ask as often as so many clients. */
export const CLIENTS_PER_SITE = 10;

export type RateLimits = ReturnType<typeof createRateLimits>;

/**
 * Counts in this process alone and forgets after a minute, and sooner what asked least where too many ask. Requests without a key are not counted: one bucket for all clients
 * of unknown address would let any one of them lock out the others.
 * Every method @throws rate_limited
 */
export function createRateLimits(stopwatch: Stopwatch = systemStopwatch) {
  return {
    challenge: byNetwork(CHALLENGES_PER_MINUTE, stopwatch),
    /** On top of `challenge`, where a client domain is to be asked. */
    clientDomain: byNetwork(CLIENT_DOMAINS_PER_MINUTE, stopwatch),
    signIn: byNetwork(SIGN_INS_PER_MINUTE, stopwatch),
    /** By session, whatever the address. Garbage never gets here: the token was read by then. */
    refresh: perMinute(REFRESHES_PER_MINUTE, stopwatch),
    stranger: byNetwork(STRANGERS_PER_MINUTE, stopwatch),
  };
}

export const noRateLimits: RateLimits = {
  challenge: async () => {},
  clientDomain: async () => {},
  signIn: async () => {},
  refresh: async () => {},
  stranger: async () => {},
};

type Limit = (key: string | null) => Promise<void>;

function perMinute(points: number, stopwatch: Stopwatch): Limit {
  const counts = createBoundedCounts({
    windowMs: RATE_LIMIT_WINDOW_MS,
    maxKeys: RATE_LIMIT_KEYS_MAX,
    stopwatch,
  });
  return async (key) => {
    if (key === null) return;
    const { count, leftMs } = counts.add(key);
    if (count <= points) return;
    const retryAfterSeconds = Math.max(1, Math.ceil(leftMs / 1_000));
    throw new SessionError("rate_limited", "Too many requests.", { retryAfterSeconds });
  };
}

/** A client that is refused does not count for its site: it must not use up what its neighbours have. */
function byNetwork(points: number, stopwatch: Stopwatch): Limit {
  const byClient = perMinute(points, stopwatch);
  const bySite = perMinute(points * CLIENTS_PER_SITE, stopwatch);
  return async (address) => {
    const ip = address === null ? null : parseIp(address);
    if (ip === null) return;
    await byClient(clientNetwork(ip));
    if (ip.version === 6) await bySite(truncatedIp(ip));
  };
}
