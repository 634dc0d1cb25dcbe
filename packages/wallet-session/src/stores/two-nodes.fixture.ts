import { setTimeout } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../clock.ts";
import { codeOf, startEngine, type TestEngine } from "../engine/engine.fixture.ts";
import type { IssuedTokens } from "../engine/session-engine.ts";
import { everyInterval } from "../engine/timers.ts";
import type { SessionId, SessionStore } from "../store.ts";

const REVOCATIONS = 20;

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
export function testTwoNodes(openTwo: () => readonly [SessionStore, SessionStore]): void {
  test.each(["on", "off"] as const)(
    "a revocation on one node is refused by the other, the wake-up being %s",
    async (wakeUp) => {
      const [mine, theirs] = openTwo();
      const learned = new Map<SessionId, PromiseWithResolvers<void>>();
      const here = await startNode(mine, wakeUp, () => {});
      const there = await startNode(theirs, wakeUp, (id) => learned.get(id)?.resolve());
      const sessions: IssuedTokens[] = [];
      for (let index = 0; index < REVOCATIONS; index += 1) {
        const tokens = await here.signIn();
        learned.set(tokens.session.id, Promise.withResolvers());
        sessions.push(tokens);
      }
      await Promise.all(
        sessions.map(async ({ session, accessToken, refreshToken }, index) => {
          // At any time between two readings of the log, and not all at once.
          await setTimeout(53 * index);
          await here.engine.revokeByRefreshToken(refreshToken, "logout");
          expect(await codeOf(there.refresh(refreshToken))).toBe("refresh_token_revoked");
          await learned.get(session.id)?.promise;
          expect(await codeOf(there.engine.authenticate(accessToken))).toBe("session_revoked");
        }),
      );
    },
  );
}
