import type { ClientEnvironment } from "./environment.ts";

/** How long a request may take. A machine that slept meanwhile may still read an answer that took longer. */
export const REQUEST_LIMIT_MS = 10_000;
/** The shortest leeway to conclude from a token's life: the last token of a session may be much shorter than the others. */
const SHORTEST_LEEWAY_MS = 1_000;

/**
 * What this tab knows of the tokens in the jar, which no script can read: when the access token ends, and when the jar was
 * filled. In doubt, the earlier end and the older jar count.
 */
export class JarTokens {
  readonly #environment: Pick<ClientEnvironment, "now">;
  readonly #configuredLeewayMs: number;
  #sessionId: string | undefined;
  #endsAt = 0;
  #filledAt: number | undefined;
  /** The longest life of the session's tokens so far; 0 before the first. */
  #longestLifeMs = 0;

  constructor(environment: Pick<ClientEnvironment, "now">, leewayMs: number) {
    this.#environment = environment;
    this.#configuredLeewayMs = leewayMs;
  }

  /** What is left of the access token. */
  get leftMs(): number {
    return Math.max(0, this.#endsAt - this.#environment.now());
  }

  /** A jar filled a moment ago: renewing again could only let a late answer overwrite a newer one. */
  get justFilled(): boolean {
    return this.#filledAt !== undefined && this.#environment.now() - this.#filledAt < 2 * this.#leewayMs;
  }

  /** A request for tokens and its answer together live no longer than the leeway. */
  get requestLimitMs(): number {
    return Math.min(REQUEST_LIMIT_MS, this.#leewayMs);
  }

  /** A server's leeway is at most a quarter of its tokens' life, whatever this client was told. */
  get #leewayMs(): number {
    if (this.#longestLifeMs === 0) return this.#configuredLeewayMs;
    return Math.min(this.#configuredLeewayMs, Math.max(SHORTEST_LEEWAY_MS, this.#longestLifeMs / 4));
  }

  /** The server says of the jar, asked at `askedAt`, that its access token is good for `lifetimeMs`. */
  found(sessionId: string, lifetimeMs: number, askedAt: number): void {
    this.#of(sessionId);
    this.#endsAt = askedAt + lifetimeMs;
  }

  /** The server has answered with tokens that this tab, or another one, asked for at `askedAt`. */
  filled(sessionId: string, lifetimeMs: number, askedAt: number): void {
    this.#of(sessionId);
    this.#longestLifeMs = Math.max(this.#longestLifeMs, lifetimeMs);
    const endsAt = askedAt + lifetimeMs;
    // An end that has hardly moved: the server has left a young jar as it was, and the jar is no younger for that.
    if (this.#filledAt === undefined || endsAt - this.#endsAt >= this.#leewayMs) {
      const now = this.#environment.now();
      this.#filledAt = now - askedAt > REQUEST_LIMIT_MS ? askedAt : now;
    }
    this.#endsAt = endsAt;
  }

  /** The jar is empty. */
  emptied(): void {
    this.#of(undefined);
  }

  #of(sessionId: string | undefined): void {
    if (sessionId === this.#sessionId) return;
    this.#sessionId = sessionId;
    this.#endsAt = 0;
    this.#filledAt = undefined;
    this.#longestLifeMs = 0;
  }
}
