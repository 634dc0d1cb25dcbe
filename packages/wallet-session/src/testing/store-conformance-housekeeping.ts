import assert from "node:assert/strict";
import type { SessionStore } from "../store.ts";
import {
  afterSwap,
  assertRow,
  assertSame,
  atOnce,
  type ConformanceCase,
  challenge,
  create,
  createRevoked,
  DAY,
  NONE,
  NOTHING_PRUNED,
  newSession,
  proofFailure,
  REVOCATION,
  readLog,
  START,
  sessionId,
  signingKey,
  swapOf,
} from "./store-conformance-fixtures.ts";

export const housekeepingCases: Record<string, ConformanceCase> = {
  "signingKeys: none at first, then oldest first and exact": async (store) => {
    assert.deepEqual(await store.signingKeys(), []);
    // The order is that of adding. The clocks of the nodes that made the keys do not count.
    const keys = [signingKey("b", START), signingKey("a", START - DAY), signingKey("c", START + DAY)];
    let newest: string | null = null;
    for (const key of keys) {
      assert.equal(await store.addSigningKey(key, newest), true);
      newest = key.kid;
    }
    assertSame(await store.signingKeys(), keys);
  },

  "addSigningKey: false where the newest key is another, and nothing is written": async (store) => {
    assert.equal(await store.addSigningKey(signingKey("a"), "a"), false);
    assert.equal(await store.addSigningKey(signingKey("a"), null), true);
    assert.equal(await store.addSigningKey(signingKey("b"), null), false);
    assert.equal(await store.addSigningKey(signingKey("b"), "A"), false);
    assert.equal(await store.addSigningKey(signingKey("b"), "a"), true);
    assert.equal(await store.addSigningKey(signingKey("c"), "a"), false);
    assertSame(await store.signingKeys(), [signingKey("a"), signingKey("b")]);
  },

  "prune: sessions whose idle limit or end is before the bound, exactly": async (store) => {
    const bound = START + DAY;
    await create(store, "idle", { idleExpiresAt: bound - 1 });
    await create(store, "ended", { idleExpiresAt: bound + DAY, expiresAt: bound - 1 });
    const kept = [
      await create(store, "idle at the bound", { idleExpiresAt: bound }),
      await create(store, "ended at the bound", { idleExpiresAt: bound + DAY, expiresAt: bound }),
      await create(store, "live"),
    ];
    const due = { ...NOTHING_PRUNED, sessionsBefore: bound };
    assert.deepEqual(await store.prune(due), { ...NONE, sessions: 2 });
    for (const label of ["idle", "ended"]) assert.equal(await store.findSession(sessionId(label)), null);
    for (const session of kept) await assertRow(store, session);
    assert.deepEqual(await store.prune(due), NONE);
  },

  "prune: a revoked session stays until its own end, and its log entry by the log's bound": async (store) => {
    const session = await createRevoked(store, "a");
    assert.deepEqual(await store.prune({ ...NOTHING_PRUNED, sessionsBefore: session.idleExpiresAt }), NONE);
    const beyond = { ...NOTHING_PRUNED, sessionsBefore: session.idleExpiresAt + 1 };
    assert.deepEqual(await store.prune(beyond), { ...NONE, sessions: 1 });
    assert.deepEqual(await readLog(store), [session.id]);
  },

  "prune: a session that has lived on by rotating is never deleted before its new end": async (store) => {
    const session = await create(store, "a");
    const first = swapOf(session, "1", { now: START + 6 * DAY });
    await store.rotate(first);
    let row = afterSwap(session, first);
    const atFirstLimit = { ...NOTHING_PRUNED, sessionsBefore: session.idleExpiresAt + DAY };
    assert.deepEqual(await store.prune(atFirstLimit), NONE);
    await assertRow(store, row);
    const second = swapOf(row, "2", { now: START + 12 * DAY });
    await store.rotate(second);
    row = afterSwap(row, second);
    assert.deepEqual(await store.prune({ ...NOTHING_PRUNED, sessionsBefore: row.idleExpiresAt }), NONE);
    await assertRow(store, row);
    const pruned = await store.prune({ ...NOTHING_PRUNED, sessionsBefore: row.idleExpiresAt + 1 });
    assert.deepEqual(pruned, { ...NONE, sessions: 1 });
    assert.equal(await store.findSession(row.id), null);
  },

  "prune: sessions that have lived on do not stand in the way of ended ones, nor stretch the limit": async (
    store,
  ) => {
    const livedOn = [0, 2];
    for (let index = 0; index < 8; index += 1) {
      const session = await create(store, `${index}`, { idleExpiresAt: START + 7 * DAY + index });
      if (livedOn.includes(index)) await store.rotate(swapOf(session, `${index}`, { now: START + 5 * DAY }));
    }
    const due = { ...NOTHING_PRUNED, sessionsBefore: START + 10 * DAY };
    for (const limit of [1, 2, 1, 2]) {
      assert.equal((await store.prune({ ...due, limit })).sessions, limit);
    }
    assert.equal((await store.prune(due)).sessions, 0);
    const rows = await atOnce(8, (index) => store.findSession(sessionId(`${index}`)));
    const left = [...rows.keys()].filter((index) => rows[index] !== null);
    assert.deepEqual(left, livedOn);
  },

  "prune: challenges whose time is over, exactly; they can be consumed again": async (store) => {
    const { expiresAt } = challenge("x");
    await store.createSession(newSession("a"), { id: "old", expiresAt: expiresAt - 1 });
    await store.createSession(newSession("b"), { id: "at the bound", expiresAt });
    const pruned = await store.prune({ ...NOTHING_PRUNED, now: expiresAt });
    assert.deepEqual(pruned, { ...NONE, challenges: 1 });
    const used = await store.createSession(newSession("c"), { id: "at the bound", expiresAt });
    assert.deepEqual(used, { outcome: "challenge_used" });
    const free = await store.createSession(newSession("d"), { id: "old", expiresAt });
    assert.deepEqual(free, { outcome: "created" });
  },

  "prune: log entries before the bound, exactly; later positions go on": async (store) => {
    for (const age of [2, 1, 0]) {
      await createRevoked(store, `${age}`, { reason: "admin", revokedAt: START - age });
    }
    const { position } = await store.revocationsAfter(0, 100);
    const counts = await store.prune({ ...NOTHING_PRUNED, revocationsBefore: START });
    assert.deepEqual(counts, { ...NONE, revocations: 2 });
    assert.deepEqual(await readLog(store), [sessionId("0")]);

    // Even with the log emptied, its end is known, and a position that a reader holds must not skip what comes next.
    await store.prune({ ...NOTHING_PRUNED, revocationsBefore: START + DAY });
    assert.deepEqual(await store.revocationsAfter(0, 100), { entries: [], position: 0, end: position });
    const { id } = await createRevoked(store, "next");
    assert.ok((await readLog(store, 100, position)).includes(id));
    assert.ok((await store.revocationsAfter(0, 100)).end > position);
  },

  "prune: security events before the bound, exactly; the log keeps its entries": async (store) => {
    for (const age of [2, 1, 0]) {
      await createRevoked(store, `${age}`, { reason: "admin", revokedAt: START - age });
    }
    const counts = await store.prune({ ...NOTHING_PRUNED, eventsBefore: START });
    assert.deepEqual(counts, { ...NONE, events: 2 });
    const events = await store.claimEvents({ owner: "a", now: START, until: START + 1, limit: 10 });
    assert.equal(events?.map(({ sessionId }) => sessionId).join(), sessionId("0"));
    assert.equal((await readLog(store)).length, 3);
  },

  "prune: at most `limit` rows of each kind at a time": async (store) => {
    for (let index = 0; index < 5; index += 1) {
      await createRevoked(store, `${index}`, REVOCATION, { idleExpiresAt: START + 1 });
    }
    const before = START + DAY;
    const limits = { now: before, sessionsBefore: before, revocationsBefore: before, eventsBefore: before };
    for (const count of [2, 2, 1, 0]) {
      const pruned = await store.prune({ ...limits, limit: 2 });
      assert.deepEqual(pruned, { sessions: count, challenges: count, revocations: count, events: count });
    }
  },

  "prune against rotate at the same moment: a session that rotates in time is kept": async (store) => {
    const session = await create(store, "a");
    const swap = swapOf(session, "a", { now: session.idleExpiresAt - 1 });
    const rotating = store.rotate(swap);
    const pruning = store.prune({ ...NOTHING_PRUNED, sessionsBefore: session.idleExpiresAt });
    assert.equal((await rotating).outcome, "rotated");
    assert.deepEqual(await pruning, NONE);
    await assertRow(store, afterSwap(session, swap));
  },

  "ping: resolves while the store answers, and leaves nothing behind": async (store) => {
    const session = await create(store, "a");
    await atOnce(20, () => store.ping());
    await assertRow(store, session);
    assert.equal((await store.revocationsAfter(0, 1)).end, 0);
  },

  "close: finishes what was begun, rejects what comes after, and may be called twice": async (store) => {
    const session = newSession("a");
    const creating = store.createSession(session, challenge("a"));
    await Promise.all([store.close(), store.close()]);
    assert.deepEqual(await creating, { outcome: "created" });
    await assertAllReject(store);
    await store.close();
  },
};

/** All that takes part in a promise; a watch only ends. */
type Step = Exclude<keyof SessionStore, "watchRevocations" | "close">;

async function assertAllReject(store: SessionStore): Promise<void> {
  const session = newSession("b");
  const calls: Record<Step, () => Promise<unknown>> = {
    createSession: () => store.createSession(session, challenge("b")),
    consumeChallenge: () => store.consumeChallenge(challenge("b")),
    rotate: () => store.rotate(swapOf(session, "b")),
    findSession: () => store.findSession(session.id),
    listSessions: () => store.listSessions(session.actorId, START, 1),
    endedByReuse: () => store.endedByReuse(session.actorId, START, 1),
    revokeSession: () => store.revokeSession(session.id, REVOCATION),
    revokeActor: () => store.revokeActor(session.actorId, REVOCATION, null),
    revokeBatch: () => store.revokeBatch(REVOCATION, 1),
    noteProofFailure: () => store.noteProofFailure(proofFailure(session)),
    proofFailures: () => store.proofFailures([session.id]),
    countSessions: () => store.countSessions(START),
    claimEvents: () => store.claimEvents({ owner: "b", now: START, until: START + 1, limit: 1 }),
    settleEvents: () => store.settleEvents({ owner: "b", position: 0, release: true }),
    revocationsAfter: () => store.revocationsAfter(0, 1),
    signingKeys: () => store.signingKeys(),
    addSigningKey: () => store.addSigningKey(signingKey("b"), null),
    prune: () => store.prune(NOTHING_PRUNED),
    ping: () => store.ping(),
  };
  for (const [name, call] of Object.entries(calls)) await assert.rejects(call, `${name} after close`);
}
