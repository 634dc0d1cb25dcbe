import { randomUUID } from "node:crypto";
import type { Adapter, Claims, RefreshAnswer, Tokens } from "./adapter.ts";

/** How often an unavailable server is asked again, and after how long. */
const PATIENCE = { tries: 40, pauseMs: 250 } as const;
/** Beyond the end of a window, so that the answer does not hang on a millisecond. */
const MARGIN_MS = 300;
/** "After seconds", unless the server claims less. */
const SECONDS_MS = 2_000;

/** A scenario could not be set up: nothing is known of its rule. */
export class StageError extends Error {
  override readonly name = "StageError";
}

/** A scenario took longer than the server's claims last, so that it would have asserted nothing of them. */
export class NotTried extends Error {
  override readonly name = "NotTried";
}

/** What the scenarios are played with. */
export interface Stage {
  readonly adapter: Adapter;
  readonly claims: Claims;
  readonly rounds: number;
  readonly interleavings: number;
  readonly refreshes: number;
  signIn(): Promise<Tokens>;
  /** A refresh that asks again while the server is unavailable, as clients do, with the same key. */
  refresh(tokens: Tokens, retryKey?: string): Promise<RefreshAnswer>;
  /** A refresh that must succeed for the scenario to mean anything. @throws StageError */
  renewed(tokens: Tokens, retryKey?: string): Promise<Tokens>;
  /** Whether the holder can go on: two refreshes. If not, how the first refused one was answered. */
  goesOn(tokens: Tokens): Promise<string | null>;
  stolenCopy(tokens: Tokens): Tokens;
  /** Waits "some seconds", which the server's claim to safe retries covers if it makes one. */
  waitSeconds(): Promise<void>;
  /** Restarts the server, which must not take longer than `withinMs`. @throws NotTried */
  restart(withinMs?: number): Promise<void>;
  /** Waits until a second use is no retry any more by the server's own rule. False: that never comes. */
  waitPastLeeway(): Promise<boolean>;
}

export interface Effort {
  /** Of most scenarios. */
  readonly rounds: number;
  /** Of refreshes with revocations. */
  readonly interleavings: number;
  /** Of one session, to see it grow. */
  readonly refreshes: number;
}

export function createStage(adapter: Adapter, effort: Effort): Stage {
  const { claims } = adapter;

  async function refresh(tokens: Tokens, retryKey?: string): Promise<RefreshAnswer> {
    let answer = await adapter.refresh(tokens, retryKey);
    for (let count = 1; answer.kind === "unavailable" && count < PATIENCE.tries; count += 1) {
      await adapter.wait(PATIENCE.pauseMs);
      answer = await adapter.refresh(tokens, retryKey);
    }
    return answer;
  }

  async function renewed(tokens: Tokens, retryKey?: string): Promise<Tokens> {
    const answer = await refresh(tokens, retryKey);
    if (answer.kind === "renewed") return answer.tokens;
    throw new StageError(`an ordinary refresh was answered ${answer.answer}`);
  }

  return {
    adapter,
    claims,
    ...effort,
    refresh,
    renewed,
    signIn: () => adapter.signIn(),
    async goesOn(tokens) {
      const first = await refresh(tokens);
      if (first.kind !== "renewed") return first.answer;
      const second = await refresh(first.tokens);
      return second.kind === "renewed" ? null : second.answer;
    },
    stolenCopy: (tokens) => adapter.stolenCopy?.(tokens) ?? tokens,
    waitSeconds: () => adapter.wait(Math.min(SECONDS_MS, (claims.retry?.withinMs ?? SECONDS_MS) / 2)),
    async restart(withinMs = Number.POSITIVE_INFINITY) {
      const began = performance.now();
      await adapter.restart?.();
      if (performance.now() - began >= withinMs)
        throw new NotTried("the restart took longer than the claim lasts");
    },
    async waitPastLeeway() {
      if (claims.retry?.by !== "token") return true;
      if (!Number.isFinite(claims.retry.withinMs)) return false;
      await adapter.wait(claims.retry.withinMs + MARGIN_MS);
      return true;
    },
  };
}

export const newRetryKey = (): string => randomUUID();
