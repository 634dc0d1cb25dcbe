import { setTimeout } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../clock.ts";
import { codeOf, startEngine, type TestEngine } from "../engine/engine.fixture.ts";
import type { IssuedTokens } from "../engine/session-engine.ts";
import { everyInterval } from "../engine/timers.ts";
import type { SessionId, SessionStore } from "../store.ts";

const REVOCATIONS = 100;
/** At worst. Usually half a second without the wake-up, and a few milliseconds with it. */
const REFUSED_WITHIN_MS = 5_000;

type WakeUp = "on" | "off";
type Learned = (sessionId: SessionId) => void;

async function startNode(store: SessionStore, wakeUp: WakeUp, onLearned: Learned): Promise<TestEngine> {
  if (wakeUp === "off") store.watchRevocations = () => () => {};
  const node = await startEngine(store, {
    clock: systemClock,
    every: everyInterval,
    onEvent: (event) => {
      if (event.type === "revocation_learned") onLearned(event.sessionId);
    },
  });
  onTestFinished(() => node.engine.close());
  return node;
}

/** `openTwo`: two stores of one database that nobody else uses. */
export function testTwoNodes(database: string, openTwo: () => readonly [SessionStore, SessionStore]): void {
  test.each(["on", "off"] as const)(
    "a revocation on one node is refused by the other in time, the wake-up being %s",
    async (wakeUp) => {
      const [mine, theirs] = openTwo();
      const learned = new Map<SessionId, PromiseWithResolvers<number>>();
      const here = await startNode(mine, wakeUp, () => {});
      const there = await startNode(theirs, wakeUp, (id) => learned.get(id)?.resolve(performance.now()));
      const sessions: IssuedTokens[] = [];
      for (let index = 0; index < REVOCATIONS; index += 1) {
        const tokens = await here.signIn();
        learned.set(tokens.session.id, Promise.withResolvers());
        sessions.push(tokens);
      }
      const lags = await Promise.all(
        sessions.map(async ({ session, accessToken, refreshToken }, index) => {
          // At any time between two readings of the log, and not all at once.
          await setTimeout(23 * index);
          await here.engine.revokeByRefreshToken(refreshToken, "logout");
          const answered = performance.now();
          expect(await codeOf(there.refresh(refreshToken))).toBe("refresh_token_revoked");
          const heard = (await learned.get(session.id)?.promise) ?? Number.POSITIVE_INFINITY;
          expect(await codeOf(there.engine.authenticate(accessToken))).toBe("session_revoked");
          return Math.max(0, heard - answered);
        }),
      );
      lags.sort((a, b) => a - b);
      const at = (share: number) => Math.round(lags[Math.ceil(share * lags.length) - 1] ?? 0);
      console.log(
        `${database}, wake-up ${wakeUp}: refused by the other node after ${at(0.5)} ms (p50), ${at(0.99)} ms (p99), ${at(1)} ms at most`,
      );
      expect(at(1)).toBeLessThan(REFUSED_WITHIN_MS);
    },
  );
}
