import type { Endpoints, SessionAnswer } from "./endpoints.ts";
import type { ClientEnvironment } from "./environment.ts";
import { withLock } from "./lock.ts";
import { type ProblemCode, SessionClientError } from "./problem.ts";

/** The answers that end a session. Nothing else does: not silence, not a fault, not a stranger's 401. */
const TERMINAL_CODES = [
  "refresh_token_missing",
  "refresh_token_invalid",
  "refresh_token_expired",
  "refresh_token_revoked",
  "refresh_token_reused",
  "session_revoked",
] as const satisfies readonly ProblemCode[];

export type TerminalCode = (typeof TERMINAL_CODES)[number];

/** A new object after each answer of the server, the same one in between. */
export type SessionState =
  | { readonly status: "unknown" }
  | { readonly status: "signed-in"; readonly sessionId: string }
  /** `reason`: the server's code, or `signed_out` when it was done here. */
  | { readonly status: "signed-out"; readonly reason: TerminalCode | "signed_out" };

export interface SessionTiming {
  /** Until the access token ends, as far as is known here. */
  readonly accessMs: number;
  /** Until the next renewal is due; 0 while one is under way. */
  readonly renewalMs: number;
}

interface Renewal {
  readonly done: Promise<void>;
  readonly abort: AbortController;
}

/** Shares of the lifetime after which a renewal is due: random in between, so that tabs and devices do not come at once. */
const RENEWAL_SHARE = { from: 0.6, to: 0.8 };
const REQUEST_LIMIT_MS = 10_000;
const SHORTEST_DELAY_MS = 1_000;
const LONGEST_RETRY_DELAY_MS = 60_000;

/**
 * Keeps one browser's session alive: one renewal at a time, and none while tokens change hands by signing in or out.
 * What is said here about the session is always the server's last word; while it says nothing, nothing changes.
 */
export class SessionKeeper {
  readonly #endpoints: Endpoints;
  readonly #environment: ClientEnvironment;
  #leewayMs: number;
  readonly #lockName: string;
  readonly #listeners = new Set<(state: SessionState) => void>();
  #state: SessionState = { status: "unknown" };
  /** Rises whenever somebody signs in or out here; what belongs to an earlier epoch no longer counts. */
  #epoch = 0;
  #renewal: Renewal | undefined;
  #change: Promise<unknown> | undefined;
  #timer: { readonly dueAt: number; readonly cancel: () => void } | undefined;
  #accessEndsAt = 0;
  #answers = 0;
  #answeredAt: number | undefined;
  #failures = 0;

  constructor(
    endpoints: Endpoints,
    environment: ClientEnvironment,
    options: { leewayMs: number; lockName: string },
  ) {
    this.#endpoints = endpoints;
    this.#environment = environment;
    this.#leewayMs = options.leewayMs;
    this.#lockName = options.lockName;
  }

  get state(): SessionState {
    return this.#state;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Rises with each answer that brought tokens. */
  get answers(): number {
    return this.#answers;
  }

  /** A jar filled a moment ago: renewing again could only let a late answer overwrite a newer one. */
  get justRenewed(): boolean {
    return this.#answeredAt !== undefined && this.#environment.now() - this.#answeredAt < 2 * this.#leewayMs;
  }

  timing(): SessionTiming | null {
    if (this.#state.status !== "signed-in") return null;
    const now = this.#environment.now();
    return {
      accessMs: Math.max(0, this.#accessEndsAt - now),
      renewalMs: this.#renewal !== undefined ? 0 : Math.max(0, (this.#timer?.dueAt ?? now) - now),
    };
  }

  subscribe(listener: (state: SessionState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Listens for waking. The function returned stops that and the timer. */
  start(): () => void {
    const stop = this.#environment.onWake(() => {
      if (this.#timer !== undefined && this.#timer.dueAt <= this.#environment.now())
        this.#renewInBackground();
    });
    return () => {
      stop();
      this.#disarm();
    };
  }

  /**
   * Renews the tokens; calls that come while one is under way share it. Resolves with what the server decided.
   * @throws SessionClientError when it decided nothing; the state is as it was, and a retry is planned.
   */
  async renew(): Promise<SessionState> {
    if (this.#change === undefined) {
      this.#renewal ??= this.#startRenewal();
      await this.#renewal.done;
    }
    // Signing in or out overtakes a renewal, and what it brings is then the answer.
    await this.#change;
    return this.#state;
  }

  /**
   * Runs `task`, which gives the browser other tokens or none, with no renewal before or beside it that could
   * answer later and overwrite them. One at a time.
   */
  async change(task: (limitMs: number) => Promise<SessionAnswer | "signed_out">): Promise<SessionState> {
    const earlier = this.#change;
    this.#epoch += 1;
    let dueAt: number | undefined;
    const run = (async () => {
      await earlier;
      // A renewal that is called off is due again at once, should the session from before go on.
      dueAt = this.#renewal === undefined ? this.#timer?.dueAt : this.#environment.now() + SHORTEST_DELAY_MS;
      this.#disarm();
      this.#renewal?.abort.abort();
      await this.#renewal?.done;
      const answer = await withLock(this.#environment, this.#lockName, () => task(REQUEST_LIMIT_MS));
      if (answer === "signed_out") this.#end("signed_out");
      else this.#receive(answer);
      return this.#state;
    })();
    const settled = run.then(
      () => {},
      () => {
        if (dueAt !== undefined) this.#arm(Math.max(0, dueAt - this.#environment.now()));
      },
    );
    this.#change = settled;
    try {
      return await run;
    } finally {
      await settled;
      if (this.#change === settled) this.#change = undefined;
    }
  }

  /** Takes over what an answer says of the session at hand. */
  accept(answer: SessionAnswer): void {
    const lifetimeMs = answer.expiresInSeconds * 1_000;
    const now = this.#environment.now();
    this.#failures = 0;
    this.#accessEndsAt = now + lifetimeMs;
    const share = RENEWAL_SHARE.from + (RENEWAL_SHARE.to - RENEWAL_SHARE.from) * this.#environment.random();
    this.#arm(Math.max(SHORTEST_DELAY_MS, lifetimeMs * share));
    this.#become({ status: "signed-in", sessionId: answer.sessionId });
  }

  #receive(answer: SessionAnswer): void {
    this.#answers += 1;
    this.#answeredAt = this.#environment.now();
    // A server's leeway is a quarter of its tokens' life at most, whatever was said here.
    this.#leewayMs = Math.min(this.#leewayMs, (answer.expiresInSeconds * 1_000) / 4);
    this.accept(answer);
  }

  #startRenewal(): Renewal {
    const abort = new AbortController();
    const done = this.#renewOnce(abort.signal).finally(() => {
      this.#renewal = undefined;
    });
    return { done, abort };
  }

  async #renewOnce(signal: AbortSignal): Promise<void> {
    this.#disarm();
    try {
      const limitMs = Math.min(REQUEST_LIMIT_MS, this.#leewayMs);
      this.#receive(
        await withLock(this.#environment, this.#lockName, () => this.#endpoints.refresh(limitMs, signal)),
      );
    } catch (error) {
      // Called off by somebody who signs in or out: that is what decides now.
      if (signal.aborted) return;
      const ended = terminalCode(error);
      if (ended === undefined) {
        this.#planRetry(error instanceof SessionClientError ? error.retryAfterSeconds : undefined);
        throw error;
      }
      this.#end(ended);
    }
  }

  #end(reason: TerminalCode | "signed_out"): void {
    this.#disarm();
    this.#answeredAt = undefined;
    this.#become({ status: "signed-out", reason });
  }

  #become(state: SessionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }

  #planRetry(retryAfterSeconds: number | undefined): void {
    if (this.#state.status === "signed-out") return;
    const backoffMs = Math.min(LONGEST_RETRY_DELAY_MS, SHORTEST_DELAY_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#arm(
      retryAfterSeconds === undefined
        ? backoffMs * (0.5 + this.#environment.random() / 2)
        : retryAfterSeconds * 1_000,
    );
  }

  #arm(delayMs: number): void {
    this.#disarm();
    const cancel = this.#environment.after(delayMs, () => this.#renewInBackground());
    this.#timer = { dueAt: this.#environment.now() + delayMs, cancel };
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #renewInBackground(): void {
    // A failure has planned its own retry.
    this.renew().catch(() => {});
  }
}

function terminalCode(error: unknown): TerminalCode | undefined {
  if (!(error instanceof SessionClientError)) return undefined;
  return TERMINAL_CODES.find((code) => code === error.code);
}
