import { once } from "node:events";
import { createServer } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { POSTGRES_CONNECTIONS } from "../../limits.ts";
import { describeFault } from "../../logging/event-log.ts";
import type { SessionRecord, SessionStore } from "../../store.ts";
import {
  afterSwap,
  assertRow,
  assertSame,
  assertUnmatched,
  challenge,
  create,
  newSession,
  proofFailure,
  readLog,
  START,
  signingKey,
  swapOf,
} from "../../testing/store-conformance-fixtures.ts";
import { openPostgresStore } from "../postgres.ts";
import { temporaryDatabase } from "./database.fixture.ts";
import type { Connection } from "./driver.ts";
import { migrate } from "./migrate.ts";
import { startProxy } from "./proxy.fixture.ts";
import { createPostgresStore } from "./store.ts";

const database = temporaryDatabase();
/** For a busy machine. */
const PATIENTLY = { timeout: 10_000 };

function open(url = database.url, schema = database.newSchema()): { store: SessionStore; schema: string } {
  const store = openPostgresStore({ url, schema });
  onTestFinished(() => store.close());
  return { store, schema };
}

/** A store that waits for less, where a test waits for the end of its wait. */
function openImpatient(url: string, schema = database.newSchema()): SessionStore {
  const times = { stepMs: 400, statementMs: 300, listenAgainMs: 20, listenPingMs: 50 };
  const prepare = async (connection: Connection) => void (await migrate(connection, schema));
  const store = createPostgresStore({ url }, schema, prepare, times);
  onTestFinished(() => store.close());
  return store;
}

/** Ends the store's connections as a restart of the server does. */
async function terminateAll(): Promise<void> {
  await database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = $1 AND application_name = 'wallet-session'`,
    [database.name],
  );
}

/** Loses the answer of a write that was made, and the connection with it; `written` waits until it is there. */
async function withLostAnswer<Output>(
  store: SessionStore,
  proxy: Awaited<ReturnType<typeof startProxy>>,
  write: () => Promise<Output>,
  written: () => Promise<void>,
): Promise<PromiseSettledResult<Output>> {
  await store.ping();
  proxy.dropAnswers();
  const settled = Promise.allSettled([write()]);
  await vi.waitFor(written, PATIENTLY);
  proxy.roundTrips();
  proxy.cut();
  const [result] = await settled;
  return result;
}

test("a write whose answer was lost is sent again, and knows its own work: nothing is done or told twice", async () => {
  const proxy = await startProxy(database.url);
  const { store, schema } = open(proxy.url);
  const other = open(database.url, schema).store;
  const session = await create(store, "a");
  const swap = swapOf(session, "a");
  const rotated = afterSwap(session, swap);
  const rotating = await withLostAnswer(
    store,
    proxy,
    () => store.rotate(swap),
    () => assertRow(other, rotated),
  );
  assertSame(rotating, { status: "fulfilled", value: { outcome: "rotated", session: rotated } });
  await assertRow(other, rotated);

  const made = newSession("b");
  const creating = await withLostAnswer(
    store,
    proxy,
    () => store.createSession(made, challenge("b")),
    () => assertRow(other, made),
  );
  expect(creating).toEqual({ status: "fulfilled", value: { outcome: "created" } });

  const revocation = { reason: "ended", revokedAt: START + 1 } as const;
  const revoking = await withLostAnswer(
    store,
    proxy,
    () => store.revokeSession(session.id, revocation),
    () => assertRow(other, { ...rotated, revokedAt: START + 1, revokedReason: "ended" }),
  );
  expect(revoking).toEqual({ status: "fulfilled", value: true });
  expect(await readLog(other)).toEqual([session.id]);
  const claim = { owner: "a", now: START, until: START + 1, limit: 10 };
  const events = await other.claimEvents(claim);
  expect(events).toHaveLength(1);
  const settling = await withLostAnswer(
    store,
    proxy,
    () => store.settleEvents({ owner: "a", position: events?.[0]?.position ?? 0, release: false }),
    async () => expect(await other.claimEvents(claim)).toEqual([]),
  );
  expect(settling).toEqual({ status: "fulfilled", value: true });
});

test("a write that was lost on its way is made by the second sending, and not taken for another's", async () => {
  const proxy = await startProxy(database.url);
  const { store, schema } = open(proxy.url);
  const other = open(database.url, schema).store;
  const session = await create(store, "a");
  const [mine, theirs] = [swapOf(session, "mine"), swapOf(session, "theirs")];
  // Held up until the connection is gone; meanwhile somebody else has done it.
  const holder = await database.connect();
  onTestFinished(() => holder.end());
  const behindLock = async <Output>(write: () => Promise<Output>, meanwhile: () => Promise<unknown>) => {
    await holder.query("BEGIN");
    await holder.query(`LOCK TABLE ${schema}.sessions, ${schema}.consumed_challenges IN SHARE MODE`);
    const writing = write();
    await database.someoneWaits(holder);
    await terminateAll();
    const doing = meanwhile();
    await holder.query("COMMIT");
    await doing;
    return writing;
  };
  await behindLock(
    () => store.createSession(newSession("late"), challenge("late")),
    async () => {},
  ).then((outcome) => expect(outcome).toEqual({ outcome: "created" }));
  const outcome = await behindLock(
    () => store.rotate(mine),
    () => vi.waitFor(() => other.rotate(theirs), PATIENTLY),
  );
  const winner = (await other.findSession(session.id))?.salt;
  if (outcome.outcome === "rotated") assertSame(winner, mine.nextSalt);
  else assertUnmatched(outcome, afterSwap(session, theirs));
});

test("a write whose second sending nobody could tell from the first rejects, and is sent once", async () => {
  const proxy = await startProxy(database.url);
  const { store, schema } = open(proxy.url);
  const other = open(database.url, schema).store;
  const ended = async (count: number) => expect(await readLog(other)).toHaveLength(count);
  for (let index = 0; index < 2; index += 1) await create(store, `${index}`, { actorId: "alice" });
  const session = await create(store, "bob's", { actorId: "bob" });
  const marks = `SELECT FROM ${schema}.consumed_challenges WHERE id = '${challenge("b").id}'`;
  const revocation = { reason: "admin", revokedAt: START + 1 } as const;
  for (const [write, written] of [
    [() => store.revokeActor("alice", revocation, null), () => ended(2)],
    [() => store.revokeBatch(revocation, 10), () => ended(3)],
    [
      () => store.addSigningKey(signingKey("a"), null),
      async () => expect(await other.signingKeys()).toHaveLength(1),
    ],
    [
      () => store.noteProofFailure(proofFailure(session)),
      async () => expect((await other.proofFailures([session.id])).size).toBe(1),
    ],
    [
      () => store.consumeChallenge(challenge("b")),
      async () => expect((await database.query(marks)).rowCount).toBe(1),
    ],
  ] as const) {
    const result = await withLostAnswer<unknown>(store, proxy, write, written);
    expect(result).toMatchObject({ status: "rejected", reason: { message: /Connection terminated/ } });
    expect(proxy.roundTrips()).toBe(0);
  }
});

test("a read that has lost its connection is asked again", async () => {
  const proxy = await startProxy(database.url);
  const { store } = open(proxy.url);
  const session = await create(store, "a");
  proxy.dropAnswers();
  proxy.roundTrips();
  const finding = store.findSession(session.id);
  await vi.waitFor(() => expect(proxy.roundTrips()).toBe(1), PATIENTLY);
  proxy.cut();
  expect((await finding)?.id).toBe(session.id);
});

test("connections that are lost while nobody uses them harm nobody", async () => {
  const { store } = open();
  let session = await create(store, "a");
  for (let round = 1; round <= 3; round += 1) {
    await Promise.all(Array.from({ length: POSTGRES_CONNECTIONS }, () => store.ping()));
    await terminateAll();
    await vi.waitFor(async () => {
      const swap = swapOf(session, `${round}`);
      // A write may still meet one whose end was not heard of yet.
      expect(await store.rotate(swap).catch(() => null)).toMatchObject({ outcome: "rotated" });
      session = afterSwap(session, swap);
    }, PATIENTLY);
  }
});

test("backends killed under a load of rotations: what was acknowledged is there, nothing forks, all chains go on", async () => {
  const { store } = open();
  let kills = 0;
  let rotations = 0;
  const enough = () => kills >= 4;

  const chain = async (label: string): Promise<number> => {
    let session = await create(store, label);
    while (!enough()) {
      const swap = swapOf(session, `${label} ${session.generation}`);
      const next = afterSwap(session, swap);
      const outcome = await store.rotate(swap).catch(() => null);
      if (outcome === null) {
        session = await stoodOrMoved(store, session, next);
      } else {
        // Nobody else rotates it: a swap that was made, sent again and not known for ours would be unmatched here.
        expect(outcome.outcome).toBe("rotated");
        session = next;
        rotations += 1;
      }
    }
    await vi.waitFor(() => assertRow(store, session), PATIENTLY);
    return session.generation;
  };
  const kill = async () => {
    while (!enough()) {
      const before = rotations;
      // So that each meets some at work.
      await vi.waitFor(() => expect(rotations).toBeGreaterThan(before), { ...PATIENTLY, interval: 1 });
      await terminateAll();
      kills += 1;
    }
  };
  const sessions = Array.from({ length: 8 }, (_, index) =>
    create(store, `${index}`).then(() => `chain ${index}`),
  );
  const labels = await Promise.all(sessions);
  const [generations] = await Promise.all([Promise.all(labels.map(chain)), kill()]);
  expect(Math.max(...generations)).toBeGreaterThan(2);
});

/** After an unknown outcome the row is the one from before or the one from after, byte for byte. */
async function stoodOrMoved(
  store: SessionStore,
  before: SessionRecord,
  after: SessionRecord,
): Promise<SessionRecord> {
  const row = await vi.waitFor(() => store.findSession(before.id), PATIENTLY);
  const session = row?.generation === before.generation ? before : after;
  expect(Buffer.from(row?.secretHash ?? []).equals(session.secretHash)).toBe(true);
  expect(row?.generation).toBe(session.generation);
  return session;
}

test("a step that a deadlock has undone is begun again", async () => {
  // Else the server looks for one after a second, which leaves little of the step's time.
  const { store, schema } = open(`${database.url}?options=-c%20deadlock_timeout%3D100ms`);
  const one = await create(store, "one", { actorId: "alice", createdAt: START });
  const two = await create(store, "two", { actorId: "alice", createdAt: START + 1 });
  const holder = await database.connect();
  onTestFinished(() => holder.end());
  const lock = (id: string) =>
    holder.query(`SELECT 1 FROM ${schema}.sessions WHERE id = $1 FOR UPDATE`, [Buffer.from(id, "base64url")]);
  // So that the store is the one that gives way.
  await holder.query("SET deadlock_timeout = '1min'");
  await holder.query("BEGIN");
  await lock(two.id);
  const revoking = store.revokeActor("alice", { reason: "admin", revokedAt: START + 2 }, null);
  await database.someoneWaits(holder);
  await lock(one.id);
  await holder.query("COMMIT");
  expect((await revoking).sort()).toEqual([one.id, two.id].sort());
});

test("a statement that must wait for too long rejects, and so does one for which no connection is free", async () => {
  const { store: patient, schema } = open();
  const session = await create(patient, "a");
  const store = openImpatient(database.url, schema);
  await vi.waitFor(() => store.ping(), PATIENTLY);
  const holder = await database.connect();
  onTestFinished(() => holder.end());
  await holder.query("BEGIN");
  await holder.query(`SELECT 1 FROM ${schema}.sessions FOR UPDATE`);
  const outcomes = await Promise.allSettled(
    Array.from({ length: POSTGRES_CONNECTIONS + 1 }, (_, index) => store.rotate(swapOf(session, `${index}`))),
  );
  const faults = outcomes.map((outcome) => (outcome.status === "rejected" ? `${outcome.reason}` : "done"));
  for (const fault of faults.slice(0, -1)) expect(fault).toMatch(/statement timeout|Query read timeout/);
  // It may have got a connection in the end, and had what was left of its time.
  expect(faults.at(-1)).not.toBe("done");
  await holder.query("ROLLBACK");
  // One that was given up may still have been waiting, and have been made now.
  await vi.waitFor(async () => {
    const row = await patient.findSession(session.id);
    const free = row === null ? null : await patient.rotate(swapOf(row, "free"));
    expect(free?.outcome).toBe("rotated");
  }, PATIENTLY);
});

test("a server that takes connections and says nothing is not waited for", async () => {
  const server = createServer(() => {}).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const store = openImpatient(`postgres://someone@127.0.0.1:${port}/x`);
  await expect(store.ping()).rejects.toThrow("timeout");
});

test("a server that has fallen silent is not waited for", async () => {
  const proxy = await startProxy(database.url);
  const store = openImpatient(proxy.url);
  await vi.waitFor(() => store.ping(), PATIENTLY);
  proxy.dropAnswers();
  await expect(store.ping()).rejects.toThrow("Query read timeout");
});

test("a lost connection, and a new one that does not come, are waited for no longer than one answer", async () => {
  const proxy = await startProxy(database.url);
  const store = openImpatient(proxy.url);
  await vi.waitFor(() => store.ping(), PATIENTLY);
  const session = newSession("a");
  proxy.dropAnswers();
  proxy.roundTrips();
  const finding = store.findSession(session.id);
  const rejected = expect(finding).rejects.toThrow("no free connection to PostgreSQL");
  await vi.waitFor(() => expect(proxy.roundTrips()).toBe(1), PATIENTLY);
  proxy.cut();
  proxy.dropAnswers();
  await rejected;
  proxy.cut();
  await vi.waitFor(() => store.ping(), PATIENTLY);
});

test("a connection that wakes and has fallen silent is noticed, and another one wakes", async () => {
  const proxy = await startProxy(database.url);
  const { store: other, schema } = open();
  const { id } = await create(other, "a");
  const store = openImpatient(proxy.url, schema);
  let woken = 0;
  const stop = store.watchRevocations(() => {
    woken += 1;
  });
  onTestFinished(stop);
  await vi.waitFor(() => expect(woken).toBeGreaterThan(0), PATIENTLY);
  const before = woken;
  proxy.silence();
  await vi.waitFor(() => expect(woken).toBeGreaterThan(before), PATIENTLY);
  const again = woken;
  await other.revokeSession(id, { reason: "admin", revokedAt: START });
  await vi.waitFor(() => expect(woken).toBeGreaterThan(again), PATIENTLY);
});

test("a watch that has been stopped, or whose store is closed, wakes nobody and holds no connection", async () => {
  const { store, schema } = open();
  let woken = 0;
  const watch = () =>
    store.watchRevocations(() => {
      woken += 1;
    });
  const [stopFirst, stopSecond] = [watch(), watch()];
  const listeners = async () => {
    // Others of this database listen to other channels, or have just done so.
    const text = "SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = $1 AND query = $2";
    return (await database.query(text, [database.name, `LISTEN "${schema}"`])).rows[0].count;
  };
  await vi.waitFor(() => expect(woken).toBe(2), PATIENTLY);
  expect(await listeners()).toBe(1);
  stopFirst();
  const { id } = await create(store, "a");
  await store.revokeSession(id, { reason: "admin", revokedAt: START });
  await vi.waitFor(() => expect(woken).toBe(3), PATIENTLY);
  stopSecond();
  await vi.waitFor(async () => expect(await listeners()).toBe(0), PATIENTLY);
  await store.close();
  watch()();
  const other = open(database.url, schema).store;
  const second = await create(other, "b");
  await other.revokeSession(second.id, { reason: "admin", revokedAt: START });
  expect([woken, await listeners()]).toEqual([3, 0]);
});

test("no fault tells the password", async () => {
  const password = "hunter2-and-more";
  const at = (change: Partial<URL>) => Object.assign(new URL(database.url), { password, ...change }).href;
  for (const url of [
    at({ port: "1" }),
    at({ hostname: "nowhere.invalid" }),
    at({ pathname: "/no_such_database" }),
    at({ username: "nobody_of_that_name" }),
    at({ search: "?sslmode=verify-full" }),
    `postgres://someone:${password}%zz@127.0.0.1/x`,
    `postgres://someone:${password}@[/x`,
  ]) {
    const { store } = open(url);
    const fault = await store.ping().catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(Error);
    expect(describeFault(fault)).not.toContain(password);
  }
});
