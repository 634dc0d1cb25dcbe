import type { ClientEnvironment } from "./environment.ts";

/** How long a request may take. A machine that slept meanwhile may still read an answer that took longer. */
export const REQUEST_LIMIT_MS = 10_000;
/** The shortest leeway to conclude from a token's life: the last token of a session may be much shorter than the others. */
const SHORTEST_LEEWAY_MS = 1_000;

/**
 * What this tab knows of the tokens in the jar, which no script can read: when the access token ends, and when the jar was
 * filled. In doubt, the earlier end and the older jar count.
 */
export function createJarTokens({ now }: Pick<ClientEnvironment, "now">, configuredLeewayMs: number) {
  let knownId: string | undefined;
  let endsAt = 0;
  let filledAt: number | undefined;
  /** The longest life of the session's tokens so far; 0 before the first. */
  let longestLifeMs = 0;

  /** A server's leeway is at most a quarter of its tokens' life, whatever this client was told. */
  function leewayMs(): number {
    if (longestLifeMs === 0) return configuredLeewayMs;
    return Math.min(configuredLeewayMs, Math.max(SHORTEST_LEEWAY_MS, longestLifeMs / 4));
  }

  function areOf(sessionId: string | undefined): void {
    if (sessionId === knownId) return;
    knownId = sessionId;
    endsAt = 0;
    filledAt = undefined;
    longestLifeMs = 0;
  }

  return {
    /** What is left of the access token. */
    leftMs: () => Math.max(0, endsAt - now()),

    /** A jar filled a moment ago: renewing again could only let a late answer overwrite a newer one. */
    justFilled: () => filledAt !== undefined && now() - filledAt < 2 * leewayMs(),

    /** A request for tokens and its answer together live no longer than the leeway. */
    requestLimitMs: () => Math.min(REQUEST_LIMIT_MS, leewayMs()),

    /** The server says of the jar, asked at `askedAt`, that its access token is good for `lifetimeMs`. */
    found(sessionId: string, lifetimeMs: number, askedAt: number): void {
      areOf(sessionId);
      endsAt = askedAt + lifetimeMs;
    },

    /** The server has answered with tokens that this tab, or another one, asked for at `askedAt`. */
    filled(sessionId: string, lifetimeMs: number, askedAt: number): void {
      areOf(sessionId);
      longestLifeMs = Math.max(longestLifeMs, lifetimeMs);
      const end = askedAt + lifetimeMs;
      // An end that has hardly moved: the server has left a young jar as it was, and the jar is no younger for that.
      if (filledAt === undefined || end - endsAt >= leewayMs()) {
        filledAt = now() - askedAt > REQUEST_LIMIT_MS ? askedAt : now();
      }
      endsAt = end;
    },

    /** The jar is empty. */
    emptied: () => areOf(undefined),
  };
}
