import { expect, onTestFinished, test, vi } from "vitest";
import { POSTGRES_COUNTED_ROWS } from "../../limits.ts";
import type { SessionStore } from "../../store.ts";
import {
  afterSwap,
  bytes,
  challenge,
  create,
  newSession,
  proofFailure,
  readLog,
  START,
  sessionId,
  swapOf,
} from "../../testing/store-conformance-fixtures.ts";
import { openPostgresStore } from "../postgres.ts";
import { temporaryDatabase } from "./database.fixture.ts";
import { startProxy } from "./proxy.fixture.ts";
import { createStatements } from "./steps.ts";

const database = temporaryDatabase();
const REVOCATION = { reason: "admin", revokedAt: START } as const;

function open(url = database.url, schema = database.newSchema()): { store: SessionStore; schema: string } {
  const store = openPostgresStore({ url, schema });
  onTestFinished(() => store.close());
  return { store, schema };
}

test("every step is one round trip, and one more where a token does not match", async () => {
  const proxy = await startProxy(database.url);
  const { store } = open(proxy.url);
  let session = await create(store, "a");
  const first = session;
  const cost = async (step: Promise<unknown>) => {
    await step;
    return proxy.roundTrips();
  };
  proxy.roundTrips();

  for (let generation = 1; generation <= 5; generation += 1) {
    const swap = swapOf(session, `${generation}`);
    expect(await cost(store.rotate(swap))).toBe(1);
    session = afterSwap(session, swap);
  }
  expect(await cost(store.rotate(swapOf(first, "unmatched")))).toBe(2);
  expect(await cost(store.rotate(swapOf(first, "unknown", { id: sessionId("nobody") })))).toBe(2);
  expect(await cost(store.createSession(newSession("b"), challenge("b")))).toBe(1);
  expect(await cost(store.createSession(newSession("c"), challenge("b")))).toBe(1);
  expect(await cost(store.revokeSession(session.id, REVOCATION))).toBe(1);
  expect(await cost(store.revokeSession(session.id, REVOCATION))).toBe(1);
  expect(await cost(store.rotate(swapOf(session, "revoked")))).toBe(2);
  expect(await cost(store.revokeActor(first.actorId, REVOCATION, null))).toBe(1);
  expect(await cost(store.revokeBatch(REVOCATION, 10))).toBe(1);
  expect(await cost(store.revocationsAfter(0, 10))).toBe(1);
  expect(await cost(store.countSessions(START))).toBe(1);
  expect(await cost(store.consumeChallenge(challenge("c")))).toBe(1);
  expect(await cost(store.noteProofFailure(proofFailure(first)))).toBe(1);
  expect(await cost(store.proofFailures([first.id]))).toBe(1);
  const claim = { owner: "a", now: START, until: START + 1, limit: 10 };
  expect(await cost(store.claimEvents(claim))).toBe(1);
  expect(await cost(store.claimEvents({ ...claim, owner: "b" }))).toBe(1);
  expect(await cost(store.settleEvents({ owner: "a", position: 1, release: false }))).toBe(1);
  expect(await cost(store.findSession(session.id))).toBe(1);
});

test("a rotation that waited for another one and lost takes a second round trip, and gets the winner's row", async () => {
  const proxy = await startProxy(database.url);
  const { store, schema } = open(proxy.url);
  const session = await create(store, "a");
  const holder = await database.connect();
  onTestFinished(() => holder.end());
  const winner = swapOf(session, "winner");
  const { text } = createStatements(schema).rotate;
  await holder.query("BEGIN");
  await holder.query(text, [
    Buffer.from(session.id, "base64url"),
    winner.transport,
    winner.generation,
    winner.secretHash,
    winner.nextSecretHash,
    winner.nextSalt,
    winner.retryKeyHash,
    winner.now,
    winner.idleExpiresAt,
    winner.binding,
    winner.nextBinding,
  ]);
  proxy.roundTrips();
  const losing = store.rotate(swapOf(session, "loser"));
  await database.someoneWaits(holder);
  await holder.query("COMMIT");
  const outcome = await losing;
  expect(outcome.outcome).toBe("unmatched");
  expect(outcome).toMatchObject({
    session: { generation: 2, secretHash: Buffer.from(winner.nextSecretHash) },
  });
  expect(proxy.roundTrips()).toBe(2);
});

test("a revocation that is held open keeps later ones out of the log, so no reader passes it by", async () => {
  const { store, schema } = open();
  const [early, held, late] = await Promise.all(
    ["early", "held", "late"].map((label) => create(store, label)),
  );
  if (early === undefined || held === undefined || late === undefined) throw new Error("no sessions");
  await store.revokeSession(early.id, REVOCATION);

  const holder = await database.connect();
  onTestFinished(() => holder.end());
  await holder.query("BEGIN");
  const { text } = createStatements(schema).revokeSession;
  await holder.query(text, [START, "admin", Buffer.from(held.id, "base64url")]);
  // Nobody else has to wait.
  const session = await create(store, "not revoked");
  expect((await store.rotate(swapOf(session, "a"))).outcome).toBe("rotated");
  const revoking = store.revokeSession(late.id, REVOCATION);
  await database.someoneWaits(holder);
  // A reader between the two: it is at the end of what can be seen, and goes on from there.
  const { entries, position } = await store.revocationsAfter(0, 10);
  expect(entries.map(({ sessionId }) => sessionId)).toEqual([early.id]);
  await holder.query("COMMIT");
  expect(await revoking).toBe(true);
  expect(await readLog(store, 10, position)).toEqual([held.id, late.id]);
});

test("a revocation that is undone leaves no gap that a reader could stop at", async () => {
  const { store, schema } = open();
  const [undone, kept] = [await create(store, "undone"), await create(store, "kept")];
  const holder = await database.connect();
  await holder.query("BEGIN");
  const { text } = createStatements(schema).revokeSession;
  await holder.query(text, [START, "admin", Buffer.from(undone.id, "base64url")]);
  const revoking = store.revokeSession(kept.id, REVOCATION);
  await holder.end();
  expect(await revoking).toBe(true);
  expect(await store.revocationsAfter(0, 10)).toMatchObject({
    entries: [{ sessionId: kept.id }],
    position: 1,
  });
  expect((await store.findSession(undone.id))?.revokedAt).toBeNull();
});

test("rotations are heap-only updates: they touch no index", async () => {
  const { store, schema } = open();
  const sessions = await Promise.all(Array.from({ length: 20 }, (_, index) => create(store, `${index}`)));
  // One after the other: a transaction that a busy machine holds up keeps the room of rows that are gone.
  for (const created of sessions) {
    let session = created;
    for (let generation = 1; generation <= 25; generation += 1) {
      const swap = swapOf(session, `${created.id} ${generation}`, { retryKeyHash: bytes("retry", 32) });
      await store.rotate(swap);
      session = afterSwap(session, swap);
    }
  }
  // A connection tells its figures no later than when it ends.
  await store.close();
  const figures = async () => {
    const { rows } = await database.query(
      `SELECT n_tup_upd::int AS updates, n_tup_hot_upd::int AS hot FROM pg_stat_user_tables
       WHERE schemaname = $1 AND relname = 'sessions'`,
      [schema],
    );
    return rows[0];
  };
  await vi.waitFor(async () => expect((await figures()).updates).toBe(500), { timeout: 10_000 });
  expect((await figures()).hot).toBeGreaterThan(450);
});

test("what is acknowledged is on disk, also where the database's default is not to wait for it", async () => {
  const schema = database.newSchema();
  await database.query(`ALTER DATABASE ${database.name} SET synchronous_commit = off`);
  onTestFinished(async () => {
    await database.query(`ALTER DATABASE ${database.name} RESET synchronous_commit`);
  });
  const { store } = open(database.url, schema);
  let session = await create(store, "a");
  const watcher = await database.connect();
  onTestFinished(() => watcher.end());
  const onDisk = async (step: () => Promise<unknown>) => {
    const before = await watcher.query("SELECT pg_current_wal_insert_lsn() AS at");
    await step();
    const after = await watcher.query("SELECT pg_current_wal_flush_lsn() > $1 AS flushed", [
      before.rows[0].at,
    ]);
    return after.rows[0].flushed;
  };
  for (let generation = 1; generation <= 5; generation += 1) {
    const swap = swapOf(session, `${generation}`);
    expect(await onDisk(() => store.rotate(swap))).toBe(true);
    session = afterSwap(session, swap);
    expect(await onDisk(() => create(store, `${generation}`))).toBe(true);
    expect(await onDisk(() => store.revokeSession(sessionId(`${generation}`), REVOCATION))).toBe(true);
    const claim = { owner: "a", now: START, until: START + generation, limit: 1 };
    expect(await onDisk(() => store.claimEvents(claim))).toBe(true);
    expect(await onDisk(() => store.settleEvents({ owner: "a", position: generation, release: true }))).toBe(
      true,
    );
  }
  await create(store, "ended with all others");
  expect(await onDisk(() => store.revokeBatch(REVOCATION, 10))).toBe(true);
});

test.each(["repeatable read", "serializable"])(
  "the same where the database's default is %s",
  async (level) => {
    const schema = database.newSchema();
    await database.query(`ALTER DATABASE ${database.name} SET default_transaction_isolation = '${level}'`);
    onTestFinished(async () => {
      await database.query(`ALTER DATABASE ${database.name} RESET default_transaction_isolation`);
    });
    const { store } = open(database.url, schema);
    const session = await create(store, "a");
    const swaps = Array.from({ length: 8 }, (_, index) => swapOf(session, `${index}`));
    const outcomes = await Promise.all(swaps.map((swap) => store.rotate(swap)));
    expect(outcomes.filter(({ outcome }) => outcome === "rotated")).toHaveLength(1);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ session: { generation: 2 } });
    const hits = await Promise.all(swaps.map(() => store.revokeSession(session.id, REVOCATION)));
    expect(hits.filter(Boolean)).toHaveLength(1);
  },
);

test("more sessions than one round counts are counted each once, also where many end at the same moment", async () => {
  const { store, schema } = open();
  await store.ping();
  const count = 2 * POSTGRES_COUNTED_ROWS + 5;
  await database.query(
    `INSERT INTO ${schema}.sessions
       (id, actor_id, transport, generation, secret_hash, salt, created_at, rotated_at, idle_expires_at, expires_at, examine_at, client)
     SELECT substring(sha256(n::text::bytea), 1, 16), 'alice', 'body', 1, '', '', 0, 0, 9, $1::bigint + n % 3, 9, '{}'
     FROM generate_series(1, ${count}) n`,
    [START],
  );
  await database.query(`ANALYZE ${schema}.sessions`);
  expect(await store.countSessions(START - 1)).toBe(count);
  // A third of them ends just then.
  expect(await store.countSessions(START)).toBe(count - Math.floor(count / 3));
});
