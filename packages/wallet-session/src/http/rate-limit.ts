import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { SessionError } from "../errors.ts";
import { clientNetwork, parseIp } from "./request/ip-address.ts";

/** For one address (IPv6: one /64). Far above what one household or office does. */
export const CHALLENGES_PER_MINUTE = 600;
/** Challenges that name a client domain, each of which makes this server ask another one. */
export const CLIENT_DOMAINS_PER_MINUTE = 60;
export const SIGN_INS_PER_MINUTE = 300;
/** For one session. An honest one refreshes a few times an hour. */
export const REFRESHES_PER_MINUTE = 120;

export type RateLimits = ReturnType<typeof createRateLimits>;

/**
 * Counts in this process alone and forgets after a minute. Requests without a key are not counted: one bucket for all clients
 * of unknown address would let any one of them lock out the others.
 * Every method @throws rate_limited
 */
export function createRateLimits() {
  return {
    challenge: byNetwork(perMinute(CHALLENGES_PER_MINUTE)),
    /** On top of `challenge`, where a client domain is to be asked. */
    clientDomain: byNetwork(perMinute(CLIENT_DOMAINS_PER_MINUTE)),
    signIn: byNetwork(perMinute(SIGN_INS_PER_MINUTE)),
    /** By session, whatever the address. Garbage never gets here: the token was read by then. */
    refresh: perMinute(REFRESHES_PER_MINUTE),
  };
}

export const noRateLimits: RateLimits = {
  challenge: async () => {},
  clientDomain: async () => {},
  signIn: async () => {},
  refresh: async () => {},
};

type Limit = (key: string | null) => Promise<void>;

function perMinute(points: number): Limit {
  const limiter = new RateLimiterMemory({ points, duration: 60 });
  return async (key) => {
    if (key === null) return;
    try {
      await limiter.consume(key);
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      const retryAfterSeconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1000));
      throw new SessionError("rate_limited", "Too many requests.", { retryAfterSeconds });
    }
  };
}

function byNetwork(limit: Limit): Limit {
  return (address) => {
    const ip = address === null ? null : parseIp(address);
    return limit(ip === null ? null : clientNetwork(ip));
  };
}
