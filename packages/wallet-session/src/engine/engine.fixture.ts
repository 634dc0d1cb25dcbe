import { randomUUID } from "node:crypto";
import type { SessionEvent } from "../events.ts";
import type { SessionStore, Transport } from "../store.ts";
import { createManualClock, type ManualClock } from "../testing/manual-clock.ts";
import { createSessionEngine, type SessionEngineOptions } from "./create-session-engine.ts";
import type { IssuedTokens, JarRefreshResult } from "./session-engine.ts";
import type { Every } from "./timers.ts";

export { codeOf } from "../testing/protocol-engine.ts";

export const SECRET = "the first secret of the tests, long enough to be one";
export const OTHER_SECRET = "the second secret of the tests, long enough as well";
export const ISSUER = "https://pay.example.com";
export const ACTOR = "GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H";
const CLIENT = { browser: "Firefox 140", os: "Linux", device: null, ip: "203.0.113.0" };

/**
 * Timers that the test drives: `pass` moves the clock by a second at a time and runs what is due then. It waits for a task
 * no longer than a turn of the event loop: real timers do not wait either.
 */
export function createManualTimers(clock: ManualClock) {
  const tasks = new Set<{ intervalMs: number; dueAt: number; task: () => Promise<void> }>();
  const every: Every = (intervalMs, task) => {
    const entry = { intervalMs, dueAt: clock.now() + intervalMs, task };
    tasks.add(entry);
    return () => tasks.delete(entry);
  };
  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      clock.advance(Math.min(left, 1_000));
      for (const entry of tasks) {
        if (entry.dueAt > clock.now()) continue;
        entry.dueAt = clock.now() + entry.intervalMs;
        await Promise.race([entry.task().catch(() => {}), new Promise(setImmediate)]);
      }
    }
  }
  return { every, pass, count: () => tasks.size };
}

/** An engine on a store, with a clock that the test moves and the events that it reported. */
export async function startEngine(store: SessionStore, options: Partial<SessionEngineOptions> = {}) {
  const clock = options.clock ?? createManualClock();
  const events: SessionEvent[] = [];
  const engine = createSessionEngine({
    store,
    secrets: [SECRET],
    issuer: ISSUER,
    onEvent: (event) => events.push(event),
    // Timers are the test's own doing.
    every: () => () => {},
    ...options,
    clock,
  });
  await engine.start();
  return {
    engine,
    clock: clock as ReturnType<typeof createManualClock>,
    events,
    alarms: () => events.filter((event) => event.type === "reuse_detected"),
    signIn: (transport: Transport = "body", actorId = ACTOR): Promise<IssuedTokens> => {
      const challenge = { id: randomUUID(), expiresAt: clock.now() + 300_000 };
      return engine.signIn({ actorId, challenge }, { transport, client: CLIENT });
    },
    refresh: (
      token: string,
      extra: { retryKey?: string; by?: Transport; jar?: string } = {},
    ): Promise<JarRefreshResult> =>
      extra.by === "cookie"
        ? engine.refreshJar(token, { retryKey: extra.retryKey ?? null, accessToken: extra.jar ?? null })
        : engine.refresh(token, { retryKey: extra.retryKey ?? null }),
  };
}

export type TestEngine = Awaited<ReturnType<typeof startEngine>>;

/** The tokens of a refresh that issued some. */
export async function issued(call: ReturnType<TestEngine["refresh"]>): Promise<IssuedTokens> {
  const result = await call;
  if (result.outcome === "unchanged") throw new Error("expected tokens, the jar was left unchanged");
  return result.tokens;
}
