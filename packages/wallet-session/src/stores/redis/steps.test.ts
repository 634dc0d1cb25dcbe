import { expect, onTestFinished, test } from "vitest";
import { REDIS_ROTATIONS_MAX } from "../../limits.ts";
import type { SessionRecord, SessionStore } from "../../store.ts";
import {
  afterSwap,
  atOnce,
  bytes,
  challenge,
  create,
  newSession,
  proofFailure,
  START,
  sessionId,
  signingKey,
  swapOf,
} from "../../testing/store-conformance-fixtures.ts";
import { openRedisStore, type RedisStoreOptions } from "../redis.ts";
import { createKeys } from "./keys.ts";
import { startOwnServer } from "./own-server.fixture.ts";
import { type Pretence, type RedisProxy, startProxy } from "./proxy.fixture.ts";
import { temporaryKeys } from "./server.fixture.ts";
import { SCRIPTS } from "./steps.ts";

const keys = temporaryKeys();
const REVOCATION = { reason: "admin", revokedAt: START } as const;

/** A store behind a proxy on a server that knows the scripts. */
async function open(
  url: string,
  options: Pick<RedisStoreOptions, "durability" | "prefix"> = {},
  pretence?: Pretence,
): Promise<{ store: SessionStore; proxy: RedisProxy; sent: (step: Promise<unknown>) => Promise<string[]> }> {
  const proxy = await startProxy(url, pretence);
  onTestFinished(() => proxy.end());
  const store = openRedisStore({ prefix: keys.newPrefix(), onWarning: () => {}, ...options, url: proxy.url });
  onTestFinished(() => store.close());
  await store.ping();
  const sent = async (step: Promise<unknown>) => {
    proxy.commands();
    await step.catch(() => {});
    return proxy.commands();
  };
  return { store, proxy, sent };
}

test("every step is one script or one command, and so one round trip, whatever its outcome", async () => {
  for (const { text } of Object.values(SCRIPTS)) await keys.command("SCRIPT", "LOAD", text);
  const { store, sent: sentAtOnce } = await open(keys.url);
  // WAITAOF, where the server has it, goes along in the same trip.
  const sent = async (step: Promise<unknown>) =>
    (await sentAtOnce(step)).filter((command) => command !== "WAITAOF");
  const session = await create(store, "a");
  const script = ["EVALSHA"];
  const swap = swapOf(session, "1");
  expect(await sent(store.rotate(swap))).toEqual(script);
  expect(await sent(store.rotate(swap))).toEqual(script);
  expect(await sent(store.rotate(swapOf(session, "unknown", { id: sessionId("nobody") })))).toEqual(script);
  expect(await sent(store.createSession(newSession("b"), challenge("b")))).toEqual(script);
  expect(await sent(store.createSession(newSession("c"), challenge("b")))).toEqual(script);
  expect(await sent(store.revokeSession(session.id, REVOCATION))).toEqual(script);
  expect(await sent(store.revokeSession(session.id, REVOCATION))).toEqual(script);
  expect(await sent(store.rotate(swapOf(afterSwap(session, swap), "revoked")))).toEqual(script);
  expect(await sent(store.revokeActor(session.actorId, REVOCATION, null))).toEqual(script);
  expect(await sent(store.revokeBatch(REVOCATION, 10))).toEqual(script);
  expect(await sent(store.listSessions("alice", START, 10))).toEqual(script);
  expect(await sent(store.endedByReuse("alice", START, 10))).toEqual(script);
  expect(await sent(store.revocationsAfter(0, 10))).toEqual(script);
  expect(await sent(store.addSigningKey(signingKey("a"), null))).toEqual(script);
  expect(await sent(store.claimEvents({ owner: "a", now: START, until: START, limit: 1 }))).toEqual(script);
  expect(await sent(store.settleEvents({ owner: "a", position: 0, release: true }))).toEqual(script);
  expect(await sent(store.consumeChallenge(challenge("c")))).toEqual(script);
  expect(await sent(store.noteProofFailure(proofFailure(session)))).toEqual(script);
  expect(await sent(store.proofFailures([session.id]))).toEqual(script);
  expect(await sent(store.findSession(session.id))).toEqual(["GET"]);
  expect(await sent(store.countSessions(START))).toEqual(["ZCOUNT"]);
  expect(await sent(store.signingKeys())).toEqual(["LRANGE"]);
  expect(await sent(store.ping())).toEqual(script);
});

test("rotations that come together go in scripts of a bounded number, in their order, each with its own outcome", async () => {
  await keys.command("SCRIPT", "LOAD", SCRIPTS.rotate.text);
  const prefix = keys.newPrefix();
  const { store, sent } = await open(keys.url, { prefix });
  const [twice, foreign, ...others] = await atOnce(REDIS_ROTATIONS_MAX + 8, (index) =>
    create(store, `together ${index}`),
  );
  if (twice === undefined || foreign === undefined) throw new Error("no sessions");
  await keys.command("SET", createKeys(prefix).session(Buffer.from(foreign.id, "base64url")), "not a row");
  const outcomes = [
    swapOf(twice, "first"),
    swapOf(twice, "second"),
    swapOf(twice, "unknown", { id: sessionId("nobody") }),
    swapOf(foreign, "foreign"),
    ...others.map((session) => swapOf(session, session.id)),
  ].map((swap) =>
    store.rotate(swap).then(
      ({ outcome }) => outcome,
      (error: Error) => error.message,
    ),
  );
  const commands = (await sent(Promise.all(outcomes))).filter((command) => command !== "WAITAOF");
  expect(commands).toEqual(["EVALSHA", "EVALSHA"]);
  expect(await Promise.all(outcomes)).toEqual([
    "rotated",
    "unmatched",
    "unknown",
    "A value in the database is not as this store writes it.",
    ...others.map(() => "rotated"),
  ]);
  expect((await store.findSession(twice.id))?.salt).toEqual(swapOf(twice, "first").nextSalt);
});

test("all keys, those that the scripts name too, begin with one hash tag, and so are in one slot of a cluster", async () => {
  const server = await startOwnServer();
  onTestFinished(() => server.end());
  const { store } = await open(server.url, { prefix: "pay" });
  const ended = await create(store, "a", { actorId: "{another}tag" });
  await create(store, "b", { actorId: "}{" });
  await store.revokeSession(ended.id, { reason: "reuse", revokedAt: START });
  await store.addSigningKey(signingKey("a"), null);
  await store.claimEvents({ owner: "a", now: START, until: START, limit: 1 });
  await store.noteProofFailure(proofFailure(ended));
  const names = await server.command("KEYS", "*");
  if (!Array.isArray(names)) throw new Error("no names");
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) expect(name).toMatch(/^\{pay\}:/);
});

test("a session is one string that a rotation does not make longer, and takes less than 1 kB with all that points to it", async () => {
  const server = await startOwnServer();
  onTestFinished(() => server.end());
  const { store } = await open(server.url, { prefix: "p" });
  const used = async () =>
    Number(/used_memory_dataset:(\d+)/.exec(`${await server.command("INFO", "memory")}`)?.[1]);
  await create(store, "first");
  const before = await used();
  const actorOf = (index: number) => `${index}`.padStart(56, "G");
  const sessions: SessionRecord[] = [];
  for (let from = 0; from < 500; from += 50) {
    const label = (index: number) => from + index;
    sessions.push(
      ...(await atOnce(50, (index) => create(store, `${label(index)}`, { actorId: actorOf(label(index)) }))),
    );
  }
  const each = ((await used()) - before) / sessions.length;
  console.log(
    `A session with its actor, its challenge and its places in the sorted sets: ${each.toFixed(0)} bytes.`,
  );
  expect(each).toBeLessThan(1_024);
  const [session] = sessions;
  if (session === undefined) throw new Error("no session");
  const key = createKeys("p").session(Buffer.from(session.id, "base64url"));
  const size = await server.command("STRLEN", key);
  expect((await store.rotate(swapOf(session, "1", { retryKeyHash: bytes("retry", 32) }))).outcome).toBe(
    "rotated",
  );
  expect(await server.command("STRLEN", key)).toBe(size);
});

test("where the server has WAITAOF, writes that come together go with one of them, and are acknowledged by it", async () => {
  const server = await startOwnServer("--appendonly", "yes", "--appendfsync", "always");
  onTestFinished(() => server.end());
  const pretence: Pretence = { acknowledged: 1 };
  const { store, sent } = await open(server.url, {}, pretence);
  const sessions = await atOnce(8, (index) => create(store, `${index}`));
  await store.rotate(swapOf(newSession("nobody"), "so that the script is known"));
  const swaps = sessions.map((session) => swapOf(session, session.id));
  const commands = await sent(Promise.all(swaps.map((swap) => store.rotate(swap))));
  expect(commands.slice(-2)).toEqual(["EVALSHA", "WAITAOF"]);
  expect(await sent(store.findSession(sessions[0]?.id ?? sessionId("none")))).toEqual(["GET"]);
  // Not on disk: nobody is told that it was done.
  pretence.acknowledged = 0;
  const [session, swap] = [sessions[1], swaps[1]];
  if (session === undefined || swap === undefined) throw new Error("no session");
  const later = swapOf(afterSwap(session, swap), "later");
  await expect(store.rotate(later)).rejects.toThrow("Redis has not written to its disk in time.");
  await expect(store.revokeSession(session.id, REVOCATION)).rejects.toThrow("its disk in time");
});

test("everysec: rotations are not waited for, all else is", async () => {
  const server = await startOwnServer("--appendonly", "yes");
  onTestFinished(() => server.end());
  const { store, sent } = await open(server.url, { durability: "everysec" }, { acknowledged: 1 });
  const session = await create(store, "a");
  expect(await sent(store.rotate(swapOf(session, "1")))).not.toContain("WAITAOF");
  expect(await sent(store.revokeSession(session.id, REVOCATION))).toContain("WAITAOF");
  expect(await sent(store.createSession(newSession("b"), challenge("b")))).toContain("WAITAOF");
  expect(
    await sent(store.prune({ now: 0, sessionsBefore: 0, revocationsBefore: 0, eventsBefore: 0, limit: 1 })),
  ).not.toContain("WAITAOF");
});
