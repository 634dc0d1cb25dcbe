import { type EndReason, endReasonOf } from "./end-reason.ts";
import type { Endpoints, SessionAnswer } from "./endpoints.ts";
import type { ClientEnvironment } from "./environment.ts";
import { JarTokens, REQUEST_LIMIT_MS } from "./jar-tokens.ts";
import { KnownSession, type SessionState } from "./known-session.ts";
import { lockedChange, lockedRenewal } from "./lock.ts";
import type { SessionNews } from "./news.ts";
import { SessionClientError } from "./problem.ts";
import { RenewalSchedule } from "./renewal-schedule.ts";

export interface SessionTiming {
  /** Until the access token ends, as far as this tab knows. */
  readonly accessMs: number;
  /** Until the next renewal is due; 0 while one is under way. */
  readonly renewalMs: number;
}

export interface KeeperOptions {
  readonly leewayMs: number;
  readonly lockName: string;
  /** Tells the other tabs. */
  readonly announce: (news: SessionNews) => void;
}

interface Renewal {
  readonly done: Promise<void>;
  readonly abort: AbortController;
}

/**
 * Keeps the session of one browser alive: one renewal at a time, and none during a sign-in or sign-out. The state is always
 * the server's last word; while the server says nothing, nothing changes.
 */
export class SessionKeeper {
  readonly #endpoints: Endpoints;
  readonly #environment: ClientEnvironment;
  readonly #tokens: JarTokens;
  readonly #lockName: string;
  readonly #announce: (news: SessionNews) => void;
  readonly #schedule: RenewalSchedule;
  readonly #session = new KnownSession();
  #renewal: Renewal | undefined;
  /** The sign-in or sign-out under way; resolves with whether it succeeded. */
  #change: Promise<boolean> | undefined;
  #answers = 0;

  constructor(endpoints: Endpoints, environment: ClientEnvironment, options: KeeperOptions) {
    this.#endpoints = endpoints;
    this.#environment = environment;
    this.#tokens = new JarTokens(environment, options.leewayMs);
    this.#lockName = options.lockName;
    this.#announce = options.announce;
    // A failure plans its own retry.
    this.#schedule = new RenewalSchedule(environment, () => void this.renew().catch(() => {}));
  }

  get state(): SessionState {
    return this.#session.state;
  }

  get epoch(): number {
    return this.#session.epoch;
  }

  /** Rises with each answer with tokens, to this tab or, as far as this tab knows, to another one. */
  get answers(): number {
    return this.#answers;
  }

  get justRenewed(): boolean {
    return this.#tokens.justFilled;
  }

  timing(): SessionTiming | null {
    if (this.#session.id === undefined) return null;
    const now = this.#environment.now();
    return {
      accessMs: this.#tokens.leftMs,
      renewalMs: this.#renewal !== undefined ? 0 : Math.max(0, (this.#schedule.dueAt ?? now) - now),
    };
  }

  subscribe(listener: (state: SessionState) => void): () => void {
    return this.#session.subscribe(listener);
  }

  /** Listens for waking and resumes the schedule. The function returned stops both. */
  start(): () => void {
    const stop = this.#environment.onWake(() => this.#schedule.wake());
    this.#schedule.resume();
    const idle = this.#schedule.dueAt === undefined && this.#renewal === undefined;
    if (idle && this.#session.id !== undefined) this.#schedule.planFor(this.#tokens.leftMs);
    return () => {
      stop();
      this.#schedule.stop();
    };
  }

  /**
   * Renews the tokens; concurrent calls share one request. Resolves with what the server decided.
   * @throws SessionClientError when it decided nothing; the state is as it was, and a retry is planned
   */
  async renew(): Promise<SessionState> {
    if (this.#change === undefined) {
      this.#renewal ??= this.#startRenewal();
      await this.#renewal.done;
    }
    // A sign-in or sign-out overtakes a renewal, and its result is the answer. If it fails, the renewal is done again.
    return (await this.#change) === false ? this.renew() : this.state;
  }

  /** Renews if the access token is good for less than `minTtlMs`, unless the jar has just been filled. */
  async ensureFresh(minTtlMs: number): Promise<SessionState> {
    await this.#change;
    const { state } = this;
    if (state.status === "signed-out") return state;
    const goodEnough = this.justRenewed || this.#tokens.leftMs >= minTtlMs;
    return state.status === "signed-in" && goodEnough ? state : this.renew();
  }

  /** Asks the refresh endpoint to confirm that this session has ended, as a feed reported with `code`. */
  async endedElsewhere(code: string): Promise<SessionState> {
    const { id } = this.#session;
    if (id === undefined) return this.state;
    this.#session.hearOfEnd(code);
    const begunBefore = this.#renewal !== undefined;
    const state = await this.renew();
    // A renewal that was under way already may have been answered before the end.
    return begunBefore && this.#session.id === id ? this.renew() : state;
  }

  /**
   * Runs `task`, which gives the browser other tokens or none. No renewal runs beside it, in any tab, whose late answer could
   * overwrite them. One at a time.
   */
  async change(
    task: (limitMs: number, calledOff: AbortSignal) => Promise<SessionAnswer | "signed_out">,
  ): Promise<SessionState> {
    const earlier = this.#change;
    let dueAt: number | undefined;
    const run = (async () => {
      await earlier;
      // If the session from before goes on, the callers of an aborted renewal do it again.
      dueAt = this.#schedule.dueAt;
      this.#schedule.cancel();
      this.#renewal?.abort.abort();
      await this.#renewal?.done;
      await lockedChange(this.#environment, this.#lockName, async (calledOff) => {
        const { id } = this.#session;
        const sentAt = this.#environment.now();
        const answer = await task(REQUEST_LIMIT_MS, calledOff);
        if (answer !== "signed_out") this.#receive(answer, "signed-in", sentAt);
        // Another session has begun in another tab meanwhile: the server knows which of the two came later.
        else if (this.#session.id !== undefined && this.#session.id !== id) this.#schedule.planIn(0);
        else this.#end("signed_out");
      });
      return this.state;
    })();
    const settle = (changed: boolean) => {
      if (this.#change === settled) this.#change = undefined;
      return changed;
    };
    const settled: Promise<boolean> = run.then(
      () => settle(true),
      () => {
        if (dueAt !== undefined) this.#schedule.planIn(Math.max(0, dueAt - this.#environment.now()));
        return settle(false);
      },
    );
    this.#change = settled;
    await settled;
    return run;
  }

  /** Takes over what an answer says of the session, as it was when the server was asked. */
  accept({ sessionId, expiresInSeconds }: SessionAnswer, askedAt: number): void {
    this.#tokens.found(sessionId, expiresInSeconds * 1_000, askedAt);
    this.#accept(sessionId);
  }

  /**
   * Takes over what another tab has from the server. False if it is then in doubt which session the jar holds, which only
   * the server can settle.
   */
  hear(news: SessionNews): boolean {
    const sameSession = news.sessionId === this.#session.id;
    if (news.type === "ended") {
      if (sameSession) {
        this.#callOff();
        this.#becomeSignedOut(news.reason);
      } else this.#session.learnReason(news.sessionId, news.reason);
      return true;
    }
    const ageMs = Math.max(0, this.#environment.wallNow() - news.at);
    const lifetimeMs = news.expiresInSeconds * 1_000;
    // Heard late: this tab knows something newer.
    if (sameSession && lifetimeMs - ageMs <= this.#tokens.leftMs) return true;
    const anotherBegan = !sameSession && news.type === "signed-in";
    if (!sameSession && !anotherBegan && this.state.status !== "unknown") return false;
    if (anotherBegan) this.#callOff();
    this.#answers += 1;
    this.#tokens.filled(news.sessionId, lifetimeMs, this.#environment.now() - ageMs);
    this.#accept(news.sessionId);
    // The state changes at once, so nothing of the earlier session is shown; but news of two sign-ins can come in any order.
    return !anotherBegan;
  }

  #accept(sessionId: string): void {
    this.#schedule.planFor(this.#tokens.leftMs);
    this.#session.becomeSignedIn(sessionId);
  }

  /**
   * Tells the others before the lock is released, so that the next tab to get it knows. Tokens age from when they were asked
   * for: a machine that falls asleep in between reads the answer when it wakes.
   */
  #receive(answer: SessionAnswer, type: "renewed" | "signed-in", sentAt: number): void {
    const { sessionId, expiresInSeconds } = answer;
    this.#answers += 1;
    this.#session.settleDoubt();
    const ageMs = this.#environment.now() - sentAt;
    this.#announce({ type, sessionId, expiresInSeconds, at: this.#environment.wallNow() - ageMs });
    this.#tokens.filled(sessionId, expiresInSeconds * 1_000, sentAt);
    this.#accept(sessionId);
  }

  #startRenewal(): Renewal {
    const abort = new AbortController();
    const done = this.#renewOnce(abort.signal).finally(() => {
      if (this.#renewal === renewal) this.#renewal = undefined;
    });
    const renewal = { done, abort };
    return renewal;
  }

  async #renewOnce(signal: AbortSignal): Promise<void> {
    this.#schedule.cancel();
    const answers = this.#answers;
    try {
      await lockedRenewal(this.#environment, this.#lockName, signal, async (calledOff) => {
        // Another tab renewed, or signed in, while this one waited for its turn.
        if (this.#answers !== answers && !this.#session.isInDoubt) return;
        const sentAt = this.#environment.now();
        const answer = await this.#endpoints.refresh(this.#tokens.requestLimitMs, calledOff);
        if (!calledOff.aborted) this.#receive(answer, "renewed", sentAt);
      });
    } catch (error) {
      // A sign-in or sign-out has called it off, and decides now.
      if (signal.aborted) return;
      const refusal = error instanceof SessionClientError ? error : undefined;
      const ended = refusal && endReasonOf(refusal);
      if (ended === undefined) {
        if (this.state.status !== "signed-out") this.#schedule.planRetry(refusal?.retryAfterSeconds);
        throw error;
      }
      this.#end(this.#session.reasonFor(ended));
    }
  }

  /** Aborts the renewal under way; its result no longer counts. */
  #callOff(): void {
    this.#renewal?.abort.abort();
    this.#renewal = undefined;
  }

  #end(reason: EndReason): void {
    const sessionId = this.#session.id;
    if (sessionId !== undefined) this.#announce({ type: "ended", sessionId, reason });
    this.#becomeSignedOut(reason);
  }

  #becomeSignedOut(reason: EndReason): void {
    this.#schedule.cancel();
    this.#tokens.emptied();
    this.#session.becomeSignedOut(reason);
  }
}
