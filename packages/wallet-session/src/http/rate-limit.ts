import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { SessionError } from "../errors.ts";
import type { SessionId } from "../store.ts";
import { clientNetwork, parseIp } from "./request/ip-address.ts";

/** For one address (IPv6: one /64). Far above what one household or office does. */
export const CHALLENGES_PER_MINUTE = 600;
/** Challenges that name a client domain, each of which makes this server ask another one. */
export const CLIENT_DOMAINS_PER_MINUTE = 60;
export const SIGN_INS_PER_MINUTE = 300;
/** For one session. An honest one refreshes a few times an hour. */
export const REFRESHES_PER_MINUTE = 120;

/**
 * Counts in this process alone and forgets after a minute. Requests without a key are not counted: one bucket for all clients
 * of unknown address would let any one of them lock out the others.
 * Every method @throws rate_limited
 */
export interface RateLimits {
  challenge(address: string | null): Promise<void>;
  /** On top of `challenge`, where a client domain is to be asked. */
  clientDomain(address: string | null): Promise<void>;
  signIn(address: string | null): Promise<void>;
  /** By session, whatever the address. Garbage never gets here: the token was read by then. */
  refresh(sessionId: SessionId): Promise<void>;
}

export function createRateLimits(): RateLimits {
  const challenges = perMinute(CHALLENGES_PER_MINUTE);
  const clientDomains = perMinute(CLIENT_DOMAINS_PER_MINUTE);
  const signIns = perMinute(SIGN_INS_PER_MINUTE);
  const refreshes = perMinute(REFRESHES_PER_MINUTE);
  return {
    challenge: (address) => challenges(networkKey(address)),
    clientDomain: (address) => clientDomains(networkKey(address)),
    signIn: (address) => signIns(networkKey(address)),
    refresh: refreshes,
  };
}

export const noRateLimits: RateLimits = {
  challenge: async () => {},
  clientDomain: async () => {},
  signIn: async () => {},
  refresh: async () => {},
};

function perMinute(points: number): (key: string | null) => Promise<void> {
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

function networkKey(address: string | null): string | null {
  const ip = address === null ? null : parseIp(address);
  return ip === null ? null : clientNetwork(ip);
}
