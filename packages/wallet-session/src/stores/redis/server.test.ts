import { readFileSync } from "node:fs";
import { createClient } from "@redis/client";
import { expect, onTestFinished, test, vi } from "vitest";
import { storeConformance } from "../../testing/store-conformance.ts";
import {
  afterSwap,
  challenge,
  create,
  newSession,
  START,
  swapOf,
} from "../../testing/store-conformance-fixtures.ts";
import { openRedisStore, type RedisDurability } from "../redis.ts";
import { type OwnServer, startOwnServer } from "./own-server.fixture.ts";

const RECOVERS = { timeout: 5_000, interval: 50 };

async function ownServer(...options: string[]): Promise<OwnServer> {
  const server = await startOwnServer(...options);
  onTestFinished(() => server.end());
  return server;
}

function open(server: OwnServer, durability: RedisDurability = "always") {
  const warnings: string[] = [];
  const store = openRedisStore({
    url: server.url,
    durability,
    onWarning: (warning) => warnings.push(warning),
  });
  onTestFinished(() => store.close());
  return { store, warnings };
}

test("a server that may drop sessions is refused, with what to do, until it is set right", async () => {
  const server = await ownServer("--maxmemory-policy", "allkeys-lru");
  const { store } = open(server);
  await expect(store.ping()).rejects.toThrow(
    "This Redis may drop sessions when its memory is full (maxmemory-policy: allkeys-lru). Set maxmemory-policy noeviction",
  );
  await expect(store.createSession(newSession("a"), challenge("a"))).rejects.toThrow("may drop sessions");
  for (const policy of ["volatile-lru", "noeviction"]) {
    await server.command("CONFIG", "SET", "maxmemory-policy", policy);
    await open(server).store.ping();
  }
  await store.ping();
});

test("a user with exactly the rights that the documents give can do everything", async () => {
  const server = await ownServer();
  const page = readFileSync(new URL("../../../../../docs/stores.md", import.meta.url), "utf8");
  const rights = (/ACL SETUSER pay (.*)/.exec(page)?.[1] ?? "").split(" ");
  // A server that does not know the command knows no right to it.
  const knowsWaitaof = `${await server.command("COMMAND", "INFO", "WAITAOF")}` !== "";
  await server.command("ACL", "SETUSER", "pay", ...rights, ...(knowsWaitaof ? ["+waitaof"] : []));
  const url = server.url.replace("//", "//pay:PASSWORD@");
  const openAnother = async () => openRedisStore({ url, onWarning: () => {} });
  const operator = await createClient({ url: server.url }).connect();
  onTestFinished(() => operator.destroy());
  const cases: (() => Promise<void>)[] = [];
  storeConformance({
    test: (_, run) => cases.push(run),
    async open() {
      await operator.flushAll();
      return openAnother();
    },
    openAnother,
  });
  for (const run of cases) await run();
  expect(cases.length).toBeGreaterThan(50);
  const store = await openAnother();
  const woken = new Promise<void>((resolve) => store.watchRevocations(resolve));
  const session = await create(store, "a");
  await store.revokeSession(session.id, { reason: "admin", revokedAt: START });
  await woken;
  await store.close();
  expect(await server.command("ACL", "LOG")).toEqual([]);
});

test("no key has an end of its own, which is what the volatile policies go by", async () => {
  const server = await ownServer();
  const { store } = open(server);
  const session = await create(store, "a");
  await store.rotate(swapOf(session, "1"));
  await store.revokeSession(session.id, { reason: "reuse", revokedAt: START });
  expect(await server.command("INFO", "keyspace")).toMatch(/keys=\d+,expires=0/);
});

test("a full memory refuses sign-ins, and is not ready; rotations, revocations and pruning go on", async () => {
  const server = await ownServer();
  const { store } = open(server);
  const session = await create(store, "a");
  await server.command("CONFIG", "SET", "maxmemory", "1");
  await expect(store.createSession(newSession("b"), challenge("b"))).rejects.toThrow("OOM");
  await expect(store.ping()).rejects.toThrow("OOM");
  expect(await store.findSession(newSession("b").id)).toBeNull();
  const swap = swapOf(session, "1");
  expect((await store.rotate(swap)).outcome).toBe("rotated");
  expect((await store.listSessions(session.actorId, START, 1))[0]?.generation).toBe(2);
  expect(await store.revokeSession(session.id, { reason: "admin", revokedAt: START })).toBe(true);
  const bounds = { now: START, sessionsBefore: afterSwap(session, swap).expiresAt, revocationsBefore: 0 };
  expect((await store.prune({ ...bounds, eventsBefore: 0, limit: 10 })).sessions).toBe(1);
});

test("a replica is refused; a primary that becomes one as well, until it is one again", async () => {
  const primary = await ownServer();
  const other = await ownServer();
  const { store } = open(primary);
  const session = await create(store, "a");
  await primary.command("REPLICAOF", "127.0.0.1", `${other.port}`);
  await expect(store.ping()).rejects.toThrow(/replica|READONLY/);
  await expect(store.rotate(swapOf(session, "1"))).rejects.toThrow(/replica|READONLY/);
  await expect(store.ping()).rejects.toThrow("DATABASE_URL must lead to the primary");
  await primary.command("REPLICAOF", "NO", "ONE");
  await vi.waitFor(() => store.ping(), RECOVERS);
});

test.each<[string[], RedisDurability, RegExp | null]>([
  [[], "always", /keeps no append-only file \(appendonly no\)/],
  [["--appendonly", "yes", "--appendfsync", "always"], "always", null],
  [["--appendonly", "yes", "--appendfsync", "no"], "everysec", /appendfsync no/],
  [
    ["--appendonly", "yes", "--appendfsync", "everysec"],
    "always",
    /appendfsync everysec.*Set appendfsync always/,
  ],
  [["--appendonly", "yes", "--rename-command", "CONFIG", ""], "always", /does not tell its appendfsync/],
])("what a server with %j and durability %s is said to risk", async (options, durability, warning) => {
  const { store, warnings } = open(await ownServer(...options), durability);
  await store.ping();
  await create(store, "a");
  expect(warnings).toEqual(warning === null ? [] : [expect.stringMatching(warning)]);
});

test("in a cluster the store finds the node that holds its keys, by any node, and again when they move", async () => {
  const options = ["--cluster-enabled", "yes", "--cluster-allow-replica-migration", "no"];
  const [one, other] = await Promise.all([ownServer(...options), ownServer(...options)]);
  const { store } = open(one);
  // CLUSTERDOWN, until its time is over.
  await expect(create(store, "too early")).rejects.toThrow();
  await one.command("CLUSTER", "MEET", "127.0.0.1", `${other.port}`);
  const slot = Number(await one.command("CLUSTER", "KEYSLOT", "{wallet_session}:log"));
  expect([slot > 0, slot < 16_383]).toEqual([true, true]);
  await one.command("CLUSTER", "ADDSLOTSRANGE", "0", `${slot - 1}`);
  await other.command("CLUSTER", "ADDSLOTSRANGE", `${slot}`, "16383");
  const session = await vi.waitFor(() => create(store, "a"), { timeout: 20_000, interval: 50 });
  expect(await one.command("DBSIZE")).toBe(0);
  expect(await other.command("DBSIZE")).toBeGreaterThan(0);

  // The slot goes to the first node without what is in it: that it is there shows by its being empty.
  await other.command("FLUSHALL");
  const id = `${await one.command("CLUSTER", "MYID")}`;
  for (const node of [one, other]) await node.command("CLUSTER", "SETSLOT", `${slot}`, "NODE", id);
  await vi.waitFor(async () => expect(await store.findSession(session.id)).toBeNull(), RECOVERS);
  await vi.waitFor(() => create(store, "moved"), RECOVERS);
  expect(await one.command("DBSIZE")).toBeGreaterThan(0);
});
