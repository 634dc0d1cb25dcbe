import assert from "node:assert/strict";
import { REVOCATION_REASONS, type SessionRecord, type SessionStore } from "../store.ts";
import {
  afterSwap,
  assertRow,
  assertSame,
  assertUnmatched,
  atOnce,
  type ConformanceCase,
  create,
  DAY,
  MINUTE,
  NOTHING_PRUNED,
  readLog,
  START,
  sessionId,
  swapOf,
} from "./store-conformance-fixtures.ts";

const REVOCATION = { reason: "admin", revokedAt: START + 2 * MINUTE } as const;

export const revocationCases: Record<string, ConformanceCase> = {
  "revokeSession: marks the row and logs it; every reason comes back": async (store) => {
    for (const reason of REVOCATION_REASONS) {
      const session = await create(store, reason);
      assert.equal(await store.revokeSession(session.id, { reason, revokedAt: START + 1 }), true);
      await assertRow(store, { ...session, revokedAt: START + 1, revokedReason: reason });
    }
    const page = await store.revocationsAfter(0, 100);
    const expected = REVOCATION_REASONS.map((reason) => ({
      sessionId: sessionId(reason),
      revokedAt: START + 1,
    }));
    assert.deepEqual(
      page.entries.map(({ sessionId, revokedAt }) => ({ sessionId, revokedAt })),
      expected,
    );
  },

  "revokeSession: the second call is false, keeps the first mark and logs nothing": async (store) => {
    const session = await create(store, "a");
    assert.equal(await store.revokeSession(session.id, REVOCATION), true);
    assert.equal(await store.revokeSession(session.id, { reason: "reuse", revokedAt: START + DAY }), false);
    await assertRow(store, revoked(session));
    assert.deepEqual(await readLog(store), [session.id]);
  },

  "revokeSession: of 32 at once, exactly one is true, and there is one log entry": async (store) => {
    const session = await create(store, "a");
    const hits = await atOnce(32, () => store.revokeSession(session.id, REVOCATION));
    assert.equal(hits.filter(Boolean).length, 1);
    assert.deepEqual(await readLog(store), [session.id]);
  },

  "revokeSession: an expired session can still be revoked": async (store) => {
    const session = await create(store, "a", { idleExpiresAt: START, expiresAt: START });
    assert.equal(await store.revokeSession(session.id, REVOCATION), true);
    await assertRow(store, revoked(session));
  },

  "rotate: refused once revoked, and the row stays as it is": async (store) => {
    const session = await create(store, "a");
    await store.revokeSession(session.id, REVOCATION);
    assertUnmatched(await store.rotate(swapOf(session, "a")), revoked(session));
    await assertRow(store, revoked(session));
  },

  "rotate, then revokeSession at the same moment: the row is in one order or the other": async (store) => {
    await rotateAgainstRevoke(store, "rotate first");
  },

  "revokeSession, then rotate at the same moment: the row is in one order or the other": async (store) => {
    await rotateAgainstRevoke(store, "revoke first");
  },

  "revokeSession in the middle of a chain: the generation never moves once it is acknowledged": async (
    store,
  ) => {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      let session = await create(store, `${attempt}`);
      let revoking: Promise<SessionRecord | null> | null = null;
      let acknowledged = false;
      // How many rotations come before the revocation's write is open; none comes after it.
      for (let generation = 1; ; generation += 1) {
        const tooLate = acknowledged;
        const swap = swapOf(session, `${attempt} ${generation}`);
        const rotating = store.rotate(swap);
        if (generation === attempt + 1) {
          revoking = store.revokeSession(session.id, REVOCATION).then(() => {
            acknowledged = true;
            return store.findSession(session.id);
          });
        }
        const { outcome } = await rotating;
        if (outcome !== "rotated") {
          assert.equal(outcome, "unmatched");
          break;
        }
        assert.ok(!tooLate, "rotated after an acknowledged revocation");
        session = afterSwap(session, swap);
      }
      assertSame(await revoking, revoked(session));
      await assertRow(store, revoked(session));
    }
  },

  "revokeActor: all of the actor's live sessions but `except`, each logged": async (store) => {
    const actorId = "alice";
    const mine = await atOnce(4, (index) => create(store, `${index}`, { actorId }));
    const [kept, ...ended] = mine;
    assert.ok(kept !== undefined);
    const untouched = [
      kept,
      await create(store, "someone else's", { actorId: "bob" }),
      await create(store, "idle", { actorId, idleExpiresAt: REVOCATION.revokedAt }),
      await create(store, "past its end", { actorId, expiresAt: REVOCATION.revokedAt }),
    ];
    const before = await create(store, "revoked before", { actorId });
    await store.revokeSession(before.id, { reason: "logout", revokedAt: START });

    const ids = await store.revokeActor(actorId, REVOCATION, kept.id);
    const expected = ended.map(({ id }) => id).sort();
    assert.deepEqual([...ids].sort(), expected);
    for (const session of ended) await assertRow(store, revoked(session));
    for (const session of untouched) await assertRow(store, session);
    await assertRow(store, { ...before, revokedAt: START, revokedReason: "logout" });
    assert.deepEqual((await readLog(store)).slice(1).sort(), expected);
  },

  "revokeActor: without `except`, or with one that is unknown or malformed, ends all": async (store) => {
    for (const except of [null, sessionId("nobody"), "no id"]) {
      const { id } = await create(store, `${except}`, { actorId: "alice" });
      assert.deepEqual(await store.revokeActor("alice", REVOCATION, except), [id]);
    }
    assert.deepEqual(await store.revokeActor("alice", REVOCATION, null), []);
  },

  "revokeActor: actor ids are compared exactly": async (store) => {
    const { id } = await create(store, "a", { actorId: "alice" });
    for (const actorId of ["Alice", "alice ", "", "%", "*", "' OR '1'='1", "alice'; --"]) {
      assert.deepEqual(await store.revokeActor(actorId, REVOCATION, null), [], actorId);
    }
    assert.deepEqual(await store.revokeActor("alice", REVOCATION, null), [id]);
  },

  "revokeActor against revokeSession at the same moment: each session is logged once": async (store) => {
    const sessions = await atOnce(16, (index) => create(store, `${index}`, { actorId: "alice" }));
    const one = sessions.map(({ id }) => store.revokeSession(id, REVOCATION));
    const all = store.revokeActor("alice", REVOCATION, null);
    const again = store.revokeActor("alice", REVOCATION, null);
    const hits = (await Promise.all(one)).filter(Boolean).length;
    assert.equal(hits + (await all).length + (await again).length, 16);
    assert.deepEqual((await readLog(store)).sort(), sessions.map(({ id }) => id).sort());
  },

  "endedByReuse: the actor's own that a reuse ended after `since`, the last one first": async (store) => {
    const actorId = "alice";
    const created = await atOnce(4, (index) => create(store, `${index}`, { actorId }));
    const ended: SessionRecord[] = [];
    for (const [index, session] of created.entries()) {
      const revocation = { reason: "reuse", revokedAt: START + index } as const;
      await store.revokeSession(session.id, revocation);
      ended.unshift({ ...session, revokedAt: START + index, revokedReason: "reuse" });
    }
    await create(store, "live", { actorId });
    for (const reason of REVOCATION_REASONS.filter((other) => other !== "reuse")) {
      const other = await create(store, reason, { actorId });
      await store.revokeSession(other.id, { reason, revokedAt: START + DAY });
    }
    const bobs = await create(store, "bob's", { actorId: "bob" });
    await store.revokeSession(bobs.id, { reason: "reuse", revokedAt: START + DAY });

    assertSame(await store.endedByReuse(actorId, START - 1, 100), ended);
    assertSame(await store.endedByReuse(actorId, START, 100), ended.slice(0, 3));
    assertSame(await store.endedByReuse(actorId, START - 1, 2), ended.slice(0, 2));
    assertSame(await store.endedByReuse("Alice", 0, 100), []);
  },

  "endedByReuse: also past their end, until they are pruned": async (store) => {
    const session = await create(store, "a", { actorId: "alice", idleExpiresAt: START + 1 });
    await store.revokeSession(session.id, { reason: "reuse", revokedAt: START });
    const row = { ...session, revokedAt: START, revokedReason: "reuse" };
    assertSame(await store.endedByReuse("alice", 0, 100), [row]);
    await store.prune({ ...NOTHING_PRUNED, sessionsBefore: START + 2 });
    assertSame(await store.endedByReuse("alice", 0, 100), []);
  },

  "revocationsAfter: pages of any size, oldest first, up to the end": async (store) => {
    assert.deepEqual(await store.revocationsAfter(0, 10), { entries: [], position: 0, end: 0 });
    const revoked: { sessionId: string; revokedAt: number }[] = [];
    for (let index = 0; index < 7; index += 1) {
      const { id } = await create(store, `${index}`);
      await store.revokeSession(id, { reason: "admin", revokedAt: START + index });
      revoked.push({ sessionId: id, revokedAt: START + index });
    }
    const { entries, end } = await store.revocationsAfter(0, 100);
    assert.deepEqual(
      entries.map(({ sessionId, revokedAt }) => ({ sessionId, revokedAt })),
      revoked,
    );
    assert.equal(end, entries.at(-1)?.position);
    for (const [index, { position }] of entries.entries()) {
      assert.ok(Number.isSafeInteger(position) && position > (entries[index - 1]?.position ?? 0));
    }
    for (const limit of [1, 2, 3, 7, 8]) {
      const page = await store.revocationsAfter(0, limit);
      assert.deepEqual(page.entries, entries.slice(0, limit));
      assert.equal(page.end, end);
      assert.deepEqual(
        await readLog(store, limit),
        entries.map(({ sessionId }) => sessionId),
      );
    }
  },

  "revocationsAfter: the place before an entry finds it again, and a place beyond the end tells the end":
    async (store) => {
      for (const label of ["a", "b", "c"])
        await store.revokeSession((await create(store, label)).id, REVOCATION);
      const { entries, position, end } = await store.revocationsAfter(0, 10);
      const again = await store.revocationsAfter(position - 1, 10);
      assert.deepEqual(again.entries.at(-1), entries.at(-1));
      assert.deepEqual(await store.revocationsAfter(end + 5, 10), { entries: [], position: end + 5, end });
    },

  "watchRevocations: is stopped by what it returns, also twice, and fails nobody": async (store) => {
    const stops = [store.watchRevocations(() => {}), store.watchRevocations(() => {})];
    const { id } = await create(store, "a");
    assert.equal(await store.revokeSession(id, REVOCATION), true);
    for (const stop of [...stops, ...stops]) stop();
    assert.equal(await store.revokeSession(id, REVOCATION), false);
  },

  "revocationsAfter: a position that is kept finds all that comes later": async (store) => {
    const early = await create(store, "early");
    await store.revokeSession(early.id, REVOCATION);
    const { position } = await store.revocationsAfter(0, 10);
    const atEnd = await store.revocationsAfter(position, 10);
    const late = await create(store, "late");
    await store.revokeSession(late.id, REVOCATION);
    for (const kept of [position, atEnd.position]) {
      assert.ok((await readLog(store, 10, kept)).includes(late.id));
    }
  },

  "revocationsAfter: a reader beside concurrent writers misses nothing": async (store) => {
    const sessions = await atOnce(64, (index) => create(store, `${index}`));
    const writers = sessions.map(({ id }) => store.revokeSession(id, REVOCATION));
    const seen = new Set<string>();
    let position = 0;
    for (const writer of writers) {
      const page = await store.revocationsAfter(position, 5);
      for (const { sessionId } of page.entries) seen.add(sessionId);
      position = page.position;
      await writer;
    }
    for (const id of await readLog(store, 5, position)) seen.add(id);
    assert.equal(seen.size, 64);
  },
};

function revoked(session: SessionRecord): SessionRecord {
  return { ...session, revokedAt: REVOCATION.revokedAt, revokedReason: REVOCATION.reason };
}

async function rotateAgainstRevoke(
  store: SessionStore,
  order: "rotate first" | "revoke first",
): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const session = await create(store, `${attempt}`);
    const swap = swapOf(session, `${attempt}`);
    const revoke = () => store.revokeSession(session.id, REVOCATION);
    const begunFirst = order === "revoke first" ? revoke() : null;
    const rotating = store.rotate(swap);
    assert.equal(await (begunFirst ?? revoke()), true);
    const { outcome } = await rotating;
    const row = revoked(outcome === "rotated" ? afterSwap(session, swap) : session);
    await assertRow(store, row);
    assertUnmatched(await store.rotate(swapOf(row, `${attempt} after`)), row);
    assert.equal((await readLog(store)).length, attempt + 1);
  }
}
