// A number of instances of `wallet-session serve` on one store, the wallets that use them, and what came of it.

import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { SessionId, SessionStore } from "wallet-session";
import { type AppServer, type Settings, startServe } from "../app-server.ts";
import { type Exchange, endedAt, type History, type StoredEnd, violations } from "./history.ts";
import { type Installation, runWallet } from "./wallets.ts";

const PUBLIC_URL = "http://localhost:3000";

/**
 * Starts `count` instances, lets wallets use them while `meanwhile` runs, and stops all of them. Resolves with what was
 * asked and answered.
 */
export async function withInstances(
  count: number,
  settings: Settings,
  wallets: number,
  meanwhile: (installation: Installation, servers: readonly AppServer[]) => Promise<void>,
): Promise<Installation> {
  const given = { PUBLIC_URL, LOG_LEVEL: "warn", WALLET_SESSION_MODE: "development", ...settings };
  const first = await startServe(given);
  const others = await Promise.all(Array.from({ length: count - 1 }, () => startServe(given, first)));
  const servers = [first, ...others];
  const installation: Installation = {
    addresses: servers.map(({ address }) => address),
    origin: PUBLIC_URL,
    exchanges: [],
    signIns: [],
    storeAwayMs: 0,
    over: false,
  };
  const users = Array.from({ length: wallets }, () => runWallet(installation));
  try {
    await meanwhile(installation, servers);
  } finally {
    installation.over = true;
    await Promise.all(users);
    await Promise.all(servers.map((server) => server.stop()));
  }
  return installation;
}

/** What broke a promise, by the history and by the rows as the store has them now. */
export async function judge(installation: Installation, store: SessionStore): Promise<string[]> {
  return violations(await historyOf(installation, store));
}

async function historyOf(
  { exchanges, signIns, storeAwayMs }: Installation,
  store: SessionStore,
): Promise<History> {
  const stored = new Map<string, StoredEnd>();
  for (const id of new Set(exchanges.map(({ sessionId }) => sessionId))) {
    const row = await store.findSession(id as SessionId);
    if (row !== null) stored.set(id, row);
  }
  return { storeAwayMs, exchanges, signIns, stored };
}

/** How long after its acknowledged end a session's access token was last taken for good, for each session, sorted. */
export function refusalLags(exchanges: readonly Exchange[]): number[] {
  const lags: number[] = [];
  for (const ofSession of Map.groupBy(exchanges, ({ sessionId }) => sessionId).values()) {
    const end = endedAt(ofSession);
    const checks = ofSession.filter(({ kind, begunAt }) => kind === "check" && begunAt > end);
    if (checks.length === 0) continue;
    lags.push(
      Math.max(
        0,
        ...checks.filter(({ answer }) => answer?.status === 200).map(({ endedAt }) => endedAt - end),
      ),
    );
  }
  return lags.sort((one, other) => one - other);
}

/** The requests begun from `since` on, by their outcome. */
export function outcomes(exchanges: readonly Exchange[], since = 0): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind, begunAt, answer } of exchanges) {
    if (begunAt < since) continue;
    const outcome = `${kind} ${answer === null ? "lost" : (answer.code ?? answer.status)}`;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

/** Resolves when requests begun from `since` on have had each of these outcomes, or after so many milliseconds without. */
export async function untilHappened(
  { exchanges }: Installation,
  wanted: readonly string[],
  atMost: number,
  since = 0,
): Promise<void> {
  const deadline = performance.now() + atMost;
  const isMissing = () => {
    const seen = outcomes(exchanges, since);
    return wanted.some((outcome) => seen[outcome] === undefined);
  };
  while (isMissing() && performance.now() < deadline) await delay(50);
}

/** Of the requests begun since then and answered by now, the milliseconds that the slowest 503 took. */
export function longest503(exchanges: readonly Exchange[], since: number): number {
  const unavailable = exchanges.filter(({ begunAt, answer }) => begunAt > since && answer?.status === 503);
  return Math.round(Math.max(...unavailable.map(({ begunAt, endedAt }) => endedAt - begunAt)));
}

/** Milliseconds until every instance has answered with 200 again, by its store, what was asked after now. */
export async function untilAllServe({ exchanges, addresses }: Installation, atMost: number): Promise<number> {
  const since = performance.now();
  const answers = () => exchanges.filter(({ begunAt, answer }) => begunAt > since && answer?.status === 200);
  while (new Set(answers().map(({ instance }) => instance)).size < addresses.length) {
    if (performance.now() - since > atMost)
      throw new Error(`not all instances serve again after ${atMost} ms`);
    await delay(10);
  }
  return Math.round(performance.now() - since);
}
