import { randomUUID } from "node:crypto";
import type { IssuedTokens } from "../../src/engine/session-engine.ts";
import { ACCESS_TOKEN_TTL_MS, CLOCK_TOLERANCE_MS } from "../../src/limits.ts";
import type { Transport } from "../../src/store.ts";
import { createMemoryStore } from "../../src/stores/memory.ts";
import { createManualClock, type ManualClock } from "../../src/testing/manual-clock.ts";
import { codeOf, engineOn, type ProtocolEngine } from "../../src/testing/protocol-engine.ts";
import { Random } from "../simulation/random.ts";

const MINUTE = 60_000;
const READ_EACH_MS = 10_000;
/** With the minute between them, the nodes are less than an hour apart: each leap counts as up to ten seconds of it. */
const LEAP = 55 * MINUTE;

interface Holder {
  readonly transport: Transport;
  refreshToken: string;
  accessToken: string;
  /** Of a refresh whose answer was lost. */
  retryKey: string | null;
}

export interface AfterLeaps {
  readonly leaps: number;
  readonly refreshes: number;
  readonly wrong: readonly string[];
}

/**
 * Two nodes whose clocks are a minute apart. In some worlds they leap ahead now and then, in others back, and are set right
 * later. Clients refresh, lose answers, ask either node and sign out all the while.
 */
export async function leapClocks(seed: string, steps: number): Promise<AfterLeaps> {
  const world = await createWorld(new Random(seed));
  for (let step = 0; step < steps; step += 1) await world.step();
  return world.end();
}

async function createWorld(random: Random) {
  const store = createMemoryStore();
  const [first, second] = [await nodeAt(0), await nodeAt(MINUTE)];
  const leapMs = random.pick([LEAP, -LEAP]);
  const holders: Holder[] = [];
  /** Access tokens of sessions that were signed out. */
  const ended: string[] = [];
  const wrong: string[] = [];
  const figures = { leaps: 0, refreshes: 0 };

  async function nodeAt(ms: number) {
    const clock = createManualClock();
    clock.advance(ms);
    return { clock, node: await engineOn(store, clock), leapt: 0 };
  }

  async function signIn(transport: Transport): Promise<void> {
    const { refreshToken, accessToken } = await first.node.signIn(transport);
    holders.push({ transport, refreshToken, accessToken, retryKey: null });
  }

  /** A clock that has leapt is set right before another leaps. */
  function leap(): void {
    const at = [first, second].find(({ leapt }) => leapt !== 0) ?? random.pick([first, second]);
    const byMs = at.leapt === 0 ? leapMs : -at.leapt;
    at.clock.advance(byMs);
    at.leapt += byMs;
    figures.leaps += 1;
  }

  async function refresh(node: ProtocolEngine, holder: Holder): Promise<void> {
    const { transport, refreshToken, accessToken } = holder;
    const retryKey = holder.retryKey ?? randomUUID();
    const answer = await attempt("a refresh", () =>
      transport === "body"
        ? node.engine.refresh(refreshToken, { retryKey })
        : node.engine.refreshJar(refreshToken, { retryKey, accessToken }),
    );
    if (answer === null) return;
    figures.refreshes += 1;
    if (answer.outcome !== "unchanged") checkLives(answer.tokens);
    if (random.chance(0.2)) {
      holder.retryKey = retryKey;
      return;
    }
    holder.retryKey = null;
    if (answer.outcome !== "unchanged") Object.assign(holder, answer.tokens);
    await attempt("the access token of a refresh", () => node.engine.authenticate(holder.accessToken));
  }

  function checkLives({ expiresInSeconds, refreshExpiresInSeconds }: IssuedTokens): void {
    const isSound = expiresInSeconds >= 0 && expiresInSeconds * 1_000 <= ACCESS_TOKEN_TTL_MS;
    if (!isSound || refreshExpiresInSeconds < 0) wrong.push(`ends in ${expiresInSeconds} s`);
  }

  async function attempt<Output>(what: string, asking: () => Promise<Output>): Promise<Output | null> {
    let answer: Output | null = null;
    const code = await codeOf(asking().then((output) => (answer = output)));
    if (code !== "none") wrong.push(`${what}: ${code}`);
    return answer;
  }

  /** By the clock of the node that is asked, a token has begun, but for the tolerance, and has not ended. */
  async function authenticate({ node, clock }: { node: ProtocolEngine; clock: ManualClock }, holder: Holder) {
    const session = await node.engine.authenticate(holder.accessToken).catch(() => null);
    if (session === null) return;
    const hasBegun = session.issuedAt <= clock.now() + CLOCK_TOLERANCE_MS;
    if (!hasBegun || session.accessExpiresAt <= clock.now()) wrong.push("an access token out of its time");
  }

  async function signOut(node: ProtocolEngine, holder: Holder): Promise<void> {
    await attempt("a sign-out", () => node.engine.revokeByRefreshToken(holder.refreshToken, "logout"));
    ended.push(holder.accessToken);
    holders.splice(holders.indexOf(holder), 1);
    await signIn(holder.transport);
  }

  /** Each node reads the log now and then, and at the end. Then no token of an ended session is good. */
  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= READ_EACH_MS) {
      for (const { node, clock } of [first, second]) {
        clock.advance(Math.min(left, READ_EACH_MS));
        await node.engine.start();
      }
    }
    for (const { node } of [first, second]) {
      for (const token of ended) {
        const code = await codeOf(node.engine.authenticate(token));
        if (code === "none") wrong.push("an access token of a session that was signed out");
      }
    }
  }

  for (const transport of ["body", "cookie", "body", "cookie"] as const) await signIn(transport);
  return {
    async step(): Promise<void> {
      const at = random.pick([first, second]);
      const [holder] = holders.slice(random.below(holders.length));
      if (holder === undefined) return;
      const dice = random.next();
      if (dice < 0.5) return refresh(at.node, holder);
      if (dice < 0.8) return authenticate(at, holder);
      if (dice < 0.85) await signOut(at.node, holder);
      else if (dice < 0.9) leap();
      await pass(dice < 0.9 ? 1_000 : random.below(5 * MINUTE));
    },
    async end(): Promise<AfterLeaps> {
      for (const { node } of [first, second]) {
        if (node.alarms() > 0) wrong.push(`${node.alarms()} alarms`);
        await node.engine.close();
      }
      return { ...figures, wrong };
    },
  };
}
