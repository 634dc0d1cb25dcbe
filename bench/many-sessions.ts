import { randomBytes } from "node:crypto";
import { systemClock } from "../packages/wallet-session/src/clock.ts";
import { prune } from "../packages/wallet-session/src/engine/prune.ts";
import type { SessionEngine } from "../packages/wallet-session/src/engine/session-engine.ts";
import { ACCESS_TOKEN_TTL_MS } from "../packages/wallet-session/src/limits.ts";
import type { SessionRecord, SessionStore } from "../packages/wallet-session/src/store.ts";
import { DAY, newSession } from "../packages/wallet-session/src/testing/store-conformance-fixtures.ts";
import { CLIENT, newChallenge, refreshed, signIn, startEngine } from "./engine.ts";
import { median } from "./measure.ts";

const FEW = 1_000;
/** Sessions that are refreshed, spread evenly over all. */
const SAMPLED = 1_000;
const FILLING_AT_ONCE = 256;
const ROUNDS = 7;
const REFRESHES_EACH_ROUND = 1_000;

/** One place to keep sessions, and how many bytes they take there. */
export interface Place {
  readonly store: SessionStore;
  bytes(): Promise<number> | number;
  /** Deletes everything. The store is closed by then. */
  remove(): Promise<void> | void;
}

export type ManySessions = Awaited<ReturnType<typeof manySessions>>;

/** Refreshes in a store with `sessions` of them and in one with 1,000, in turn, and while the many are pruned. */
export async function manySessions(open: (name: string) => Promise<Place>, sessions: number) {
  const [few, many] = [await open("few"), await open("many")];
  const engines = await Promise.all([few, many].map(({ store }) => startEngine(store)));
  const [engineOfFew, engineOfMany] = engines as [SessionEngine, SessionEngine];
  try {
    const tokensOfFew = await fill(few.store, engineOfFew, FEW);
    const before = await many.bytes();
    const begun = performance.now();
    const tokensOfMany = await fill(many.store, engineOfMany, sessions);
    const filledPerSecond = sessions / ((performance.now() - begun) / 1_000);
    const bytesEach = ((await many.bytes()) - before) / sessions;

    const rounds: { few: number; many: number }[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const pair = {
        few: median(await refreshAll(engineOfFew, tokensOfFew)),
        many: median(await refreshAll(engineOfMany, tokensOfMany)),
      };
      if (round > 0) rounds.push(pair);
    }
    // Medians of a refresh, one at a time, in microseconds.
    const inTurn = {
      few: median(rounds.map((pair) => pair.few)),
      many: median(rounds.map((pair) => pair.many)),
      ratio: median(rounds.map((pair) => pair.many / pair.few)),
    };
    const pruning = await whilePruning(many.store, engineOfMany, tokensOfMany, inTurn.many);
    return { sessions, filledPerSecond, bytesEach, ...inTurn, pruning };
  } finally {
    for (const engine of engines) await engine.close();
    await few.remove();
    await many.remove();
  }
}

/** The tokens of those that will be refreshed. Of the others, a quarter has ended longer ago than anything is kept. */
async function fill(store: SessionStore, engine: SessionEngine, sessions: number): Promise<string[]> {
  const tokens: string[] = [];
  const every = Math.max(1, Math.floor(sessions / SAMPLED));
  let next = 0;
  await Promise.all(
    Array.from({ length: FILLING_AT_ONCE }, async () => {
      for (let n = next++; n < sessions; n = next++) {
        if (n % every === 0) tokens.push((await signIn(engine, actorId(n))).refreshToken);
        else await store.createSession(session(n), newChallenge());
      }
    }),
  );
  return tokens;
}

function session(n: number): SessionRecord {
  const createdAt = Date.now() - (n % 4 === 1 ? 60 * DAY : 0);
  return newSession(String(n), {
    actorId: actorId(n),
    retryKeyHash: randomBytes(32),
    createdAt,
    rotatedAt: createdAt,
    idleExpiresAt: createdAt + 7 * DAY,
    expiresAt: createdAt + 30 * DAY,
    client: CLIENT,
  });
}

const actorId = (n: number) => `G${String(n >> 1).padStart(55, "A")}`;

/** The microseconds of each refresh, one after the other. */
async function refreshAll(engine: SessionEngine, tokens: string[]): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < REFRESHES_EACH_ROUND; n += 1) {
    const at = n % tokens.length;
    const begun = performance.now();
    tokens[at] = await refreshed(engine, tokens[at] ?? "");
    times.push((performance.now() - begun) * 1_000);
  }
  return times;
}

/** While the engine prunes a quarter of them. */
async function whilePruning(store: SessionStore, engine: SessionEngine, tokens: string[], usual: number) {
  const begun = performance.now();
  let deleted = 0;
  let pruning = true;
  const done = prune({ store, clock: systemClock }, ACCESS_TOKEN_TTL_MS, ({ sessions }) => {
    deleted += sessions;
  }).finally(() => {
    pruning = false;
  });
  const times: number[] = [];
  while (pruning) times.push(...(await refreshAll(engine, tokens)));
  await done;
  return {
    ratio: median(times) / usual,
    longestMs: times.reduce((longest, time) => Math.max(longest, time), 0) / 1_000,
    deletedPerSecond: deleted / ((performance.now() - begun) / 1_000),
  };
}
