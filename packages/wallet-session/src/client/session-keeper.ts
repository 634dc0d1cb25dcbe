import { type EndReason, endReasonOf } from "./end-reason.ts";
import type { Endpoints, SessionAnswer } from "./endpoints.ts";
import type { ClientEnvironment } from "./environment.ts";
import { createJarTokens, REQUEST_LIMIT_MS } from "./jar-tokens.ts";
import { createKnownSession, type SessionState } from "./known-session.ts";
import { lockedChange, lockedRenewal } from "./lock.ts";
import type { SessionNews } from "./news.ts";
import { isCurable, SessionClientError } from "./problem.ts";
import { createRenewalSchedule } from "./renewal-schedule.ts";

/** A browser renews a bound session in the last two minutes of its token. The client asks at a fifth to two fifths of this. */
const BOUND_WINDOW_MS = 240_000;

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

export type SessionKeeper = ReturnType<typeof createSessionKeeper>;

/**
 * Keeps the session of one browser alive: one renewal at a time, and none during a sign-in or sign-out. The state is always
 * the server's last word; while the server says nothing, nothing changes.
 */
export function createSessionKeeper(
  endpoints: Endpoints,
  environment: ClientEnvironment,
  { leewayMs, lockName, announce }: KeeperOptions,
) {
  const { now, wallNow } = environment;
  const session = createKnownSession();
  const tokens = createJarTokens(environment, leewayMs);
  // A failure plans its own retry.
  const schedule = createRenewalSchedule(environment, () => void renew().catch(() => {}));
  let renewal: Renewal | undefined;
  /** The sign-in or sign-out under way; resolves with whether it succeeded. */
  let changing: Promise<boolean> | undefined;
  let answers = 0;
  /** Whether the browser renews, by a key that the session is bound to; undefined where it may have begun to. */
  let isBound: boolean | undefined;
  /** Whether an answer has said so: not each one does. */
  let mayBind = false;

  /**
   * Renews the tokens; concurrent calls share one request. Resolves with what the server decided. `isRefused`: for a
   * request that was refused for want of a token, so that a browser which could renew would have held it.
   * @throws SessionClientError when it decided nothing; the state is as it was, and a retry is planned
   */
  async function renew(isRefused = false): Promise<SessionState> {
    if (changing === undefined) {
      renewal ??= startRenewal(isRefused);
      await renewal.done;
    }
    // A sign-in or sign-out overtakes a renewal, and its result is the answer. If it fails, the renewal is done again.
    return (await changing) === false ? renew() : session.state();
  }

  function startRenewal(isRefused: boolean): Renewal {
    const abort = new AbortController();
    const done = renewOnce(abort.signal, isRefused).finally(() => {
      if (renewal === started) renewal = undefined;
    });
    const started = { done, abort };
    return started;
  }

  async function renewOnce(signal: AbortSignal, isRefused: boolean): Promise<void> {
    schedule.cancel();
    const answersBefore = answers;
    try {
      await lockedRenewal(environment, lockName, signal, async (calledOff) => {
        // Another tab renewed, or signed in, while this one waited for its turn.
        if (answers !== answersBefore && !session.isInDoubt()) return;
        if (await browserRenews(calledOff, isRefused)) return;
        const sentAt = now();
        const answer = await endpoints.refresh(tokens.requestLimitMs(), calledOff);
        if (!calledOff.aborted) receive(answer, "renewed", sentAt);
      });
    } catch (error) {
      // A sign-in or sign-out has called it off, and decides now.
      if (signal.aborted) return;
      const refusal = refusalIn(error);
      const ended = refusal && endReasonOf(refusal);
      // Bound since this tab last asked.
      if (refusal?.code === "proof_missing") isBound = true;
      if (ended === undefined) {
        if (session.state().status !== "signed-out") schedule.planRetry(refusal?.retryAfterSeconds);
        throw error;
      }
      end(session.reasonFor(ended));
    }
  }

  /**
   * Leaves the renewal to a browser that has bound the session: it holds an ordinary request until it has renewed, or renews
   * beside it where the token is about to end. False where the refresh endpoint is to be asked: the session is bound to
   * nothing, or is over. Of a bound one that lives, it would take this for a thief.
   */
  async function browserRenews(signal: AbortSignal, isRefused: boolean): Promise<boolean> {
    if (!isBound) {
      endpoints.ensureRetryKey();
      // A key that cannot be read, as in a program or where the browser keeps no cookies, tells of nobody's renewal.
      if (isBound === false || isRefused || !endpoints.retryKey()) return false;
    }
    const sentAt = now();
    try {
      const answer = await endpoints.session(REQUEST_LIMIT_MS, { signal });
      accept(answer, sentAt);
      // Somebody has renewed meanwhile: it may have been the browser, for the first time.
      if (!isBound) return !endpoints.retryKey() && browserRenews(signal, false);
      tell(answer, "renewed", sentAt);
      endpoints.ensureRetryKey();
      return true;
    } catch (error) {
      const code = refusalIn(error)?.code;
      // The browser could not renew. It may be able to later, unless the server has emptied the jar.
      const isOver = code === "session_revoked" || !endpoints.retryKey();
      if (isCurable(code) && (!isBound || isOver)) return false;
      throw error;
    }
  }

  /** Aborts the renewal under way; its result no longer counts. */
  function callOff(): void {
    renewal?.abort.abort();
    renewal = undefined;
  }

  /**
   * Tells the others before the lock is released, so that the next tab to get it knows. Tokens age from when they were asked
   * for: a machine that falls asleep in between reads the answer when it wakes.
   */
  function tell(answer: SessionAnswer, type: "renewed" | "signed-in", sentAt: number): void {
    answers += 1;
    session.settleDoubt();
    announce({ ...answer, isBound, type, at: wallNow() - (now() - sentAt) });
  }

  function receive(answer: SessionAnswer, type: "renewed" | "signed-in", sentAt: number): void {
    tokens.filled(answer.sessionId, answer.expiresInSeconds * 1_000, sentAt);
    mayBind ||= answer.isBound === undefined;
    takeOver(answer.sessionId, mayBind ? undefined : answer.isBound);
    tell(answer, type, sentAt);
  }

  /** Takes over what an answer says of the session, as it was when the server was asked. */
  function accept(answer: SessionAnswer, askedAt: number): void {
    const { sessionId } = answer;
    tokens.found(sessionId, answer.expiresInSeconds * 1_000, askedAt);
    // That it may be bound any time is no news of a session of which more is known.
    takeOver(sessionId, answer.isBound ?? (sessionId === session.id() ? isBound : undefined));
  }

  function takeOver(sessionId: string, isBoundNow: boolean | undefined): void {
    isBound = isBoundNow;
    plan();
    session.becomeSignedIn(sessionId);
  }

  function plan(): void {
    schedule.planFor(tokens.leftMs(), 0, isBound ? BOUND_WINDOW_MS : undefined);
  }

  function end(reason: EndReason): void {
    const sessionId = session.id();
    if (sessionId !== undefined) announce({ type: "ended", sessionId, reason });
    becomeSignedOut(reason);
  }

  function becomeSignedOut(reason: EndReason): void {
    schedule.cancel();
    tokens.emptied();
    session.becomeSignedOut(reason);
  }

  return {
    state: session.state,
    epoch: session.epoch,
    subscribe: session.subscribe,
    renew,
    justRenewed: tokens.justFilled,

    /** Rises with each answer with tokens, to this tab or, as far as this tab knows, to another one. */
    answers: () => answers,

    timing(): SessionTiming | null {
      if (session.id() === undefined) return null;
      const at = now();
      return {
        accessMs: tokens.leftMs(),
        renewalMs: renewal !== undefined ? 0 : Math.max(0, (schedule.dueAt() ?? at) - at),
      };
    },

    /** Listens for waking and resumes the schedule. The function returned stops both. */
    start(): () => void {
      const stop = environment.onWake(schedule.wake);
      schedule.resume();
      const idle = schedule.dueAt() === undefined && renewal === undefined;
      if (idle && session.id() !== undefined) plan();
      return () => {
        stop();
        schedule.stop();
      };
    },

    /** Renews if the access token is good for less than `minTtlMs`, unless the jar has just been filled. */
    async ensureFresh(minTtlMs: number): Promise<SessionState> {
      await changing;
      const state = session.state();
      if (state.status === "signed-out") return state;
      const goodEnough = tokens.justFilled() || tokens.leftMs() >= minTtlMs;
      return state.status === "signed-in" && goodEnough ? state : renew();
    },

    /** Asks the refresh endpoint to confirm that this session has ended, as a feed reported with `code`. */
    async endedElsewhere(code: string): Promise<SessionState> {
      const id = session.id();
      if (id === undefined) return session.state();
      session.hearOfEnd(id, code);
      const begunBefore = renewal !== undefined;
      const state = await renew();
      // A renewal that was under way already may have been answered before the end.
      return begunBefore && session.id() === id ? renew() : state;
    },

    /**
     * Runs `task`, which gives the browser other tokens or none. No renewal runs beside it, in any tab, whose late answer could
     * overwrite them. One at a time.
     */
    async change(
      task: (limitMs: number, calledOff: AbortSignal) => Promise<SessionAnswer | "signed_out">,
    ): Promise<SessionState> {
      const earlier = changing;
      let dueAt: number | undefined;
      const run = (async () => {
        await earlier;
        // If the session from before goes on, the callers of an aborted renewal do it again.
        dueAt = schedule.dueAt();
        schedule.cancel();
        renewal?.abort.abort();
        await renewal?.done;
        await lockedChange(environment, lockName, async (calledOff) => {
          const before = session.id();
          const sentAt = now();
          const answer = await task(REQUEST_LIMIT_MS, calledOff);
          const after = session.id();
          if (answer !== "signed_out") receive(answer, "signed-in", sentAt);
          // Another session has begun in another tab meanwhile: the server knows which of the two came later.
          else if (after !== undefined && after !== before) schedule.planIn(0);
          else end("signed_out");
        });
        return session.state();
      })();
      const settled = run
        .then(
          () => true,
          () => {
            if (dueAt !== undefined) schedule.planIn(Math.max(0, dueAt - now()));
            return false;
          },
        )
        .finally(() => {
          if (changing === settled) changing = undefined;
        });
      changing = settled;
      await settled;
      return run;
    },

    /** After a question that nobody answered: as long as nothing is known, the next one is planned. */
    askAgain(error: unknown): void {
      if (session.state().status === "unknown") schedule.planRetry(refusalIn(error)?.retryAfterSeconds);
    },

    accept,

    /**
     * Takes over what another tab has from the server. False if it is then in doubt which session the jar holds, which only
     * the server can settle.
     */
    hear(news: SessionNews): boolean {
      const sameSession = news.sessionId === session.id();
      if (news.type === "ended") {
        if (sameSession) {
          callOff();
          becomeSignedOut(news.reason);
        } else session.learnReason(news.sessionId, news.reason);
        return true;
      }
      const ageMs = Math.max(0, wallNow() - news.at);
      const lifetimeMs = news.expiresInSeconds * 1_000;
      // Heard late: this tab knows something newer.
      if (sameSession && lifetimeMs - ageMs <= tokens.leftMs()) return true;
      const anotherBegan = !sameSession && news.type === "signed-in";
      if (!sameSession && !anotherBegan && session.state().status !== "unknown") return false;
      if (anotherBegan) callOff();
      answers += 1;
      tokens.filled(news.sessionId, lifetimeMs, now() - ageMs);
      mayBind ||= news.isBound === undefined;
      takeOver(news.sessionId, news.isBound);
      // The state changes at once, so nothing of the earlier session is shown; but news of two sign-ins can come in any order.
      return !anotherBegan;
    },
  };
}

function refusalIn(error: unknown): SessionClientError | undefined {
  return error instanceof SessionClientError ? error : undefined;
}
