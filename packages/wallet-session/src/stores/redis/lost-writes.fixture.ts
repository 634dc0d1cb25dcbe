import { randomUUID } from "node:crypto";
import { readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { createManualClock } from "../../testing/manual-clock.ts";
import { codeOf, engineOn, type ProtocolEngine } from "../../testing/protocol-engine.ts";
import { openRedisStore } from "../redis.ts";
import { type OwnServer, startOwnServer } from "./own-server.fixture.ts";
import { startProxy } from "./proxy.fixture.ts";

/** So many sessions, each rotated once, evenly over `overMs`; then what was written in the last `lostMs` is lost. */
export interface Loss {
  readonly sessions: number;
  readonly overMs: number;
  readonly lostMs: number;
}

export interface AfterLoss {
  readonly sessions: number;
  /** Clients whose newest token is refused... */
  readonly signedOut: number;
  /** ...and with which codes. */
  readonly codes: readonly string[];
  /** Of those signed out, how many would have gone on with the token from before, as one does who lost the answer. */
  readonly retriesThatGoOn: number;
  readonly alarms: number;
}

/** A client: the token that it holds, and the one from before with its retry key. */
interface Client {
  held: string;
  before: string;
  retryKey: string;
}

/** The last of the append-only file is missing after a crash: what `appendfsync everysec` risks. */
export async function crashWithoutTheTail(loss: Loss): Promise<AfterLoss> {
  const server = await startOwnServer("--appendonly", "yes", "--appendfsync", "everysec");
  try {
    const node = await nodeOn(server.url);
    const clients = await signIn(node, loss.sessions);
    const sizes: { at: number; bytes: number }[] = [];
    await rotateEvenly(node, clients, loss, () =>
      sizes.push({ at: performance.now(), bytes: logBytes(server) }),
    );
    await server.kill();
    const cutAt = performance.now() - loss.lostMs;
    truncateSync(logFile(server), sizes.findLast(({ at }) => at <= cutAt)?.bytes ?? 0);
    await server.start();
    await answersAgain(node);
    return await present(node, clients);
  } finally {
    await server.end();
  }
}

/** What else happens around a promotion. */
export interface Around {
  /** While the replica still gets everything. */
  readonly before?: (node: ProtocolEngine) => Promise<void>;
  /** What is written now, the replica has not been sent. */
  readonly lost?: (node: ProtocolEngine) => Promise<void>;
  readonly promoted?: (node: ProtocolEngine) => Promise<void>;
}

/** A replica is promoted that had not been sent the last writes. */
export async function promoteTooEarly(loss: Loss, around: Around = {}): Promise<AfterLoss> {
  const primary = await startOwnServer("--repl-diskless-sync-delay", "0");
  const replica = await startOwnServer("--replicaof", "127.0.0.1", `${primary.port}`);
  const proxy = await startProxy(primary.url);
  try {
    const node = await nodeOn(proxy.url);
    const clients = await signIn(node, loss.sessions);
    await around.before?.(node);
    while ((await primary.command("WAIT", "1", "1000")) !== 1 || !(await isInSync(primary, replica)));
    const promoting = setTimeout(loss.overMs - loss.lostMs).then(() =>
      replica.command("REPLICAOF", "NO", "ONE"),
    );
    await rotateEvenly(node, clients, loss, () => {});
    await promoting;
    await around.lost?.(node);
    await primary.kill();
    proxy.leadTo(replica.url);
    await answersAgain(node);
    await around.promoted?.(node);
    return await present(node, clients);
  } finally {
    proxy.end();
    await Promise.all([primary.end(), replica.end()]);
  }
}

async function nodeOn(url: string): Promise<ProtocolEngine> {
  const store = openRedisStore({ url, durability: "everysec", onWarning: () => {} });
  return engineOn(store, createManualClock());
}

async function signIn(node: ProtocolEngine, sessions: number): Promise<Client[]> {
  const issued = await Promise.all(Array.from({ length: sessions }, () => node.signIn()));
  return issued.map(({ refreshToken }) => ({
    held: refreshToken,
    before: refreshToken,
    retryKey: randomUUID(),
  }));
}

async function rotateEvenly(
  node: ProtocolEngine,
  clients: readonly Client[],
  { overMs }: Loss,
  afterEach: () => void,
): Promise<void> {
  const begun = performance.now();
  for (const [index, client] of clients.entries()) {
    await setTimeout(Math.max(0, begun + (overMs * index) / clients.length - performance.now()));
    client.held = (await node.tokens(client.before, { retryKey: client.retryKey })).refreshToken;
    afterEach();
  }
}

/** Every client presents the token that it holds. One that is refused retries, as after a lost answer. */
async function present(node: ProtocolEngine, clients: readonly Client[]): Promise<AfterLoss> {
  const codes: string[] = [];
  let retriesThatGoOn = 0;
  for (const { held, before, retryKey } of clients) {
    const code = await codeOf(node.refresh(held, { retryKey: randomUUID() }));
    if (code === "none") continue;
    codes.push(code);
    if ((await codeOf(node.refresh(before, { retryKey }))) === "none") retriesThatGoOn += 1;
  }
  const signedOut = codes.length;
  const alarms = node.alarms();
  await node.engine.close();
  return { sessions: clients.length, signedOut, codes: [...new Set(codes)], retriesThatGoOn, alarms };
}

async function answersAgain(node: ProtocolEngine): Promise<void> {
  while (!(await node.engine.getReadiness()).store) await setTimeout(20);
}

async function isInSync(primary: OwnServer, replica: OwnServer): Promise<boolean> {
  const offset = async (server: OwnServer) =>
    /master_repl_offset:(\d+)/.exec(`${await server.command("INFO", "replication")}`)?.[1];
  return (await offset(primary)) === (await offset(replica));
}

function logFile({ directory }: OwnServer): string {
  const file = readdirSync(join(directory, "appendonlydir")).find((name) => name.endsWith(".incr.aof"));
  return join(directory, "appendonlydir", file ?? "");
}

function logBytes(server: OwnServer): number {
  return statSync(logFile(server)).size;
}
