import { expect, onTestFinished, test, vi } from "vitest";
import { STORE_STEP_TIMEOUT_MS } from "../../limits.ts";
import { describeFault } from "../../logging/event-log.ts";
import type { SessionId } from "../../session-id.ts";
import type { SessionRecord, SessionStore } from "../../store.ts";
import {
  afterSwap,
  assertRotated,
  assertRow,
  assertUnmatched,
  atOnce,
  challenge,
  create,
  newSession,
  proofFailure,
  readLog,
  START,
  sessionId,
  signingKey,
  swapOf,
} from "../../testing/store-conformance-fixtures.ts";
import { openRedisStore } from "../redis.ts";
import { ConnectionFault, isLostInFlight, isNotBegun, isOfConnection, ServerFault } from "./faults.ts";
import { type OwnServer, startOwnServer } from "./own-server.fixture.ts";
import { type RedisProxy, startProxy } from "./proxy.fixture.ts";
import { temporaryKeys } from "./server.fixture.ts";
import { SCRIPTS } from "./steps.ts";

const keys = temporaryKeys();
/** For a busy machine. */
const PATIENTLY = { timeout: 10_000 };
const REVOCATION = { reason: "logout", revokedAt: START } as const;

function open(url = keys.url, prefix = keys.newPrefix()): { store: SessionStore; prefix: string } {
  const store = openRedisStore({ url, prefix, onWarning: () => {} });
  onTestFinished(() => store.close());
  return { store, prefix };
}

async function ownServer(...options: string[]): Promise<OwnServer> {
  const server = await startOwnServer(...options);
  onTestFinished(() => server.end());
  return server;
}

/** Has the server do the step, and its answer lost with the connection. */
async function losingTheAnswer<Output>(
  { proxy, store }: { proxy: RedisProxy; store: SessionStore },
  step: () => Promise<Output>,
  done: () => Promise<void>,
) {
  // On the connection that the step will be sent on, whether the server has WAITAOF or not.
  await store.revokeSession(sessionId("nobody"), REVOCATION);
  await store.ping();
  proxy.commands();
  proxy.dropAnswers();
  const running = step();
  running.catch(() => {});
  await vi.waitFor(done, { timeout: STORE_STEP_TIMEOUT_MS, interval: 5 });
  proxy.cut();
  return running;
}

async function proxyOf(url: string): Promise<RedisProxy> {
  const proxy = await startProxy(url);
  onTestFinished(() => proxy.end());
  return proxy;
}

async function behindProxy() {
  const proxy = await proxyOf(keys.url);
  const { store, prefix } = open(proxy.url);
  // Else the answer that is lost may be that a script is not known yet.
  for (const { text } of Object.values(SCRIPTS)) await keys.command("SCRIPT", "LOAD", text);
  const { store: other } = open(keys.url, prefix);
  await other.ping();
  return { proxy, store, other };
}

test("a rotation that was written and whose answer was lost is sent again, and known for its own", async () => {
  const { proxy, store, other } = await behindProxy();
  let session = await create(store, "a");
  for (const nextBinding of [null, "key", "key", "another"]) {
    const swap = swapOf(session, `to ${nextBinding}`, { nextBinding });
    const row = afterSwap(session, swap);
    assertRotated(
      await losingTheAnswer(
        { proxy, store },
        () => store.rotate(swap),
        () => assertRow(other, row),
      ),
      row,
    );
    await assertRow(other, row);
    // A later call with the same swap has not made it.
    assertUnmatched(await store.rotate(swap), row);
    session = row;
  }
});

test("a rotation that somebody else has made meanwhile is not taken for its own", async () => {
  const { proxy, store, other } = await behindProxy();
  const session = await create(store, "a");
  const theirs = swapOf(session, "theirs");
  const row = afterSwap(session, theirs);
  await other.rotate(theirs);
  const mine = await losingTheAnswer(
    { proxy, store },
    () => store.rotate(swapOf(session, "mine")),
    async () => expect(proxy.commands()).toContain("EVALSHA"),
  );
  assertUnmatched(mine, row);
});

test("a sign-in and a revocation whose answers were lost are known for their own", async () => {
  const { proxy, store, other } = await behindProxy();
  const session = newSession("a");
  const created = await losingTheAnswer(
    { proxy, store },
    () => store.createSession(session, challenge("a")),
    () => assertRow(other, session),
  );
  expect(created).toEqual({ outcome: "created" });
  const revoked = await losingTheAnswer(
    { proxy, store },
    () => store.revokeSession(session.id, REVOCATION),
    async () => expect(await readLog(other)).toEqual([session.id]),
  );
  expect(revoked).toBe(true);
  expect(await readLog(other)).toEqual([session.id]);
  expect(await store.revokeSession(session.id, REVOCATION)).toBe(false);
});

test("what cannot be told from somebody else's after a lost answer rejects", async () => {
  const { proxy, store, other } = await behindProxy();
  const session = await create(store, "a");
  const revoking = losingTheAnswer(
    { proxy, store },
    () => store.revokeActor(session.actorId, REVOCATION, null),
    async () => expect(await readLog(other)).toEqual([session.id]),
  );
  await expect(revoking).rejects.toThrow("The connection to Redis was lost.");
  const adding = losingTheAnswer(
    { proxy, store },
    () => store.addSigningKey(signingKey("a"), null),
    async () => expect(await other.signingKeys()).toHaveLength(1),
  );
  await expect(adding).rejects.toThrow("The connection to Redis was lost.");
  const noting = losingTheAnswer(
    { proxy, store },
    () => store.noteProofFailure(proofFailure(session)),
    async () => expect((await other.proofFailures([session.id])).size).toBe(1),
  );
  await expect(noting).rejects.toThrow("The connection to Redis was lost.");
  const consuming = losingTheAnswer(
    { proxy, store },
    () => store.consumeChallenge(challenge("b")),
    async () => expect(proxy.commands()).toContain("EVALSHA"),
  );
  await expect(consuming).rejects.toThrow("The connection to Redis was lost.");
});

test("a read whose connection was lost is asked again", async () => {
  const { proxy, store } = await behindProxy();
  const session = await create(store, "a");
  const found = await losingTheAnswer(
    { proxy, store },
    () => store.findSession(session.id),
    async () => expect(proxy.commands()).toContain("GET"),
  );
  expect(found?.id).toBe(session.id);
});

test("a server that has forgotten the scripts is sent them again", async () => {
  const server = await ownServer();
  const { store } = open(server.url);
  const session = await create(store, "a");
  await store.rotate(swapOf(session, "1"));
  await server.command("SCRIPT", "FLUSH");
  expect((await store.rotate(swapOf(session, "2"))).outcome).toBe("unmatched");
  expect(await store.revokeSession(session.id, REVOCATION)).toBe(true);
});

test("a server that is stopped: every step rejects in time, and all goes on with it", async () => {
  const server = await ownServer();
  const { store } = open(server.url);
  const session = await create(store, "a");
  server.signal("SIGSTOP");
  const rejects = (step: () => Promise<unknown>) =>
    expect(step()).rejects.toThrow(/has not answered|no connection/);
  const steps = [
    () => store.rotate(swapOf(session, "a")),
    () => store.findSession(session.id),
    () => store.revokeSession(session.id, REVOCATION),
    () => store.ping(),
  ];
  for (let round = 0; round < 2; round += 1) {
    await Promise.all(steps.map(rejects));
  }
  server.signal("SIGCONT");
  await vi.waitFor(() => store.ping(), PATIENTLY);
});

test("a server that takes connections and says nothing is not waited for", async () => {
  const proxy = await proxyOf(keys.url);
  proxy.dropAnswers();
  const { store } = open(proxy.url);
  await expect(store.ping()).rejects.toThrow();
  proxy.cut();
  await vi.waitFor(() => store.ping(), PATIENTLY);
});

test("a server killed under a load of rotations: what was acknowledged is there, nothing forks, all chains go on", async () => {
  const server = await ownServer("--appendonly", "yes", "--appendfsync", "always");
  const { store } = open(server.url);
  let over = false;
  let rejections = 0;
  /** Rotations of each chain since the last crash. */
  const done = Array<number>(8).fill(0);

  const chain = async (created: SessionRecord, index: number): Promise<void> => {
    let session = created;
    while (!over) {
      const swap = swapOf(session, `${session.id} ${session.generation}`);
      const outcome = await store.rotate(swap).catch(() => null);
      if (outcome?.outcome === "rotated") {
        session = afterSwap(session, swap);
        done[index] = (done[index] ?? 0) + 1;
        continue;
      }
      // Nobody else rotates it.
      expect(outcome).toBeNull();
      rejections += 1;
      const row = await vi.waitFor(() => store.findSession(session.id), PATIENTLY);
      if (row?.generation !== session.generation) session = afterSwap(session, swap);
      await vi.waitFor(() => assertRow(store, session), PATIENTLY);
    }
    await assertRow(store, session);
  };
  const crash = async () => {
    for (let crashes = 0; crashes < 2; crashes += 1) {
      done.fill(0);
      await vi.waitFor(() => expect(Math.min(...done)).toBeGreaterThan(1), PATIENTLY);
      await server.kill();
      await expect(store.ping()).rejects.toThrow(/no connection|has not answered/);
      await server.start();
      await vi.waitFor(() => store.ping(), { ...PATIENTLY, interval: 20 });
    }
    done.fill(0);
    await vi.waitFor(() => expect(Math.min(...done)).toBeGreaterThan(1), PATIENTLY);
    over = true;
  };
  const sessions = await atOnce(done.length, (index) => create(store, `chain ${index}`));
  await Promise.all([...sessions.map(chain), crash()]);
  expect(rejections).toBeGreaterThan(0);
});

test("no fault tells the password", async () => {
  const password = "hunter2-and-more";
  const at = (change: Partial<URL>) => Object.assign(new URL(keys.url), { password, ...change }).href;
  for (const url of [
    at({ username: "nobody-of-that-name" }),
    at({ port: "1" }),
    at({ hostname: "nowhere.invalid" }),
    at({ protocol: "rediss:" }),
  ]) {
    const { store } = open(url);
    const fault = await store.ping().catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(Error);
    expect(describeFault(fault)).not.toContain(password);
  }
  for (const url of [`redis://x:${password}@[/x`, `http://x:${password}@127.0.0.1`, at({ pathname: "/x" })]) {
    expect(() => open(url)).toThrow(/^(?!.*hunter2)/);
  }
});

test("which faults say that nothing was begun, and which leave it open", () => {
  for (const code of ["LOADING", "MOVED", "ASK", "READONLY", "CLUSTERDOWN", "TRYAGAIN", "NOSCRIPT", "BUSY"]) {
    expect(isNotBegun(new ServerFault(`${code} and so on`)), code).toBe(true);
  }
  for (const code of ["ERR", "OOM", "MISCONF", "NOREPLICAS", "WRONGTYPE", "TAKEN"]) {
    const fault = new ServerFault(`${code} and so on`);
    expect([isNotBegun(fault), isOfConnection(fault)], code).toEqual([false, false]);
  }
  const [lost, none] = [new ConnectionFault(true, null), new ConnectionFault(false, null)];
  expect([isNotBegun(lost), isLostInFlight(lost)]).toEqual([false, true]);
  expect([isNotBegun(none), isLostInFlight(none)]).toEqual([true, false]);
  expect([isNotBegun(null), isLostInFlight("x"), isOfConnection(new Error("x"))]).toEqual([
    false,
    false,
    false,
  ]);
});

test("an id that nobody has is no reason to open a connection", async () => {
  const { store } = open("redis://127.0.0.1:1");
  expect(await store.findSession("x" as SessionId)).toBeNull();
  expect(await store.revokeSession("x" as SessionId, REVOCATION)).toBe(false);
  expect(await store.rotate(swapOf(newSession("a"), "a", { id: "x" as SessionId }))).toEqual({
    outcome: "unknown",
  });
  await expect(store.findSession(sessionId("a"))).rejects.toThrow("There is no connection to Redis.");
});
