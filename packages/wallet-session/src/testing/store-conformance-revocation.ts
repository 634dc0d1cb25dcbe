import assert from "node:assert/strict";
import type { SessionId } from "../session-id.ts";
import { REVOCATION_REASONS, type SessionRecord } from "../store.ts";
import {
  afterSwap,
  assertRow,
  assertSame,
  assertUnmatched,
  atOnce,
  type ConformanceCase,
  create,
  createMany,
  createRevoked,
  DAY,
  idsOf,
  NOTHING_PRUNED,
  REVOCATION,
  readLog,
  revoked,
  START,
  sessionId,
  sessionsOf,
  swapOf,
} from "./store-conformance-fixtures.ts";

export const revocationCases: Record<string, ConformanceCase> = {
  "revokeSession: marks the row and logs it; every reason comes back": async (store) => {
    for (const reason of REVOCATION_REASONS) {
      await assertRow(store, await createRevoked(store, reason, { reason, revokedAt: START + 1 }));
    }
    const { entries } = await store.revocationsAfter(0, 100);
    const logged = entries.map(({ sessionId, revokedAt }) => [sessionId, revokedAt]);
    assert.deepEqual(
      logged,
      REVOCATION_REASONS.map((reason) => [sessionId(reason), START + 1]),
    );
  },

  "revokeSession: the second call is false, keeps the first mark and logs nothing": async (store) => {
    const session = await createRevoked(store, "a");
    assert.equal(await store.revokeSession(session.id, { reason: "reuse", revokedAt: START + DAY }), false);
    await assertRow(store, session);
    assert.deepEqual(await readLog(store), [session.id]);
  },

  "revokeSession: of 32 at once, exactly one is true, and there is one log entry": async (store) => {
    const session = await create(store, "a");
    const hits = await atOnce(32, () => store.revokeSession(session.id, REVOCATION));
    assert.equal(hits.filter(Boolean).length, 1);
    assert.deepEqual(await readLog(store), [session.id]);
  },

  "revokeSession: an expired session can still be revoked": async (store) => {
    const expired = { idleExpiresAt: START, expiresAt: START };
    await assertRow(store, await createRevoked(store, "a", REVOCATION, expired));
  },

  "rotate: refused once revoked, and the row stays as it is": async (store) => {
    const session = await createRevoked(store, "a");
    assertUnmatched(await store.rotate(swapOf(session, "a")), session);
    await assertRow(store, session);
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
    const [kept, ...ended] = await createMany(store, 4, { actorId });
    assert.ok(kept !== undefined);
    const before = await createRevoked(
      store,
      "revoked before",
      { reason: "logout", revokedAt: START },
      { actorId },
    );
    const untouched = [
      before,
      kept,
      await create(store, "someone else's", { actorId: "bob" }),
      await create(store, "idle", { actorId, idleExpiresAt: REVOCATION.revokedAt }),
      await create(store, "past its end", { actorId, expiresAt: REVOCATION.revokedAt }),
    ];
    const ids = await store.revokeActor(actorId, REVOCATION, kept.id);
    assert.deepEqual([...ids].sort(), idsOf(ended));
    for (const session of ended) await assertRow(store, revoked(session));
    for (const session of untouched) await assertRow(store, session);
    assert.deepEqual((await readLog(store)).slice(1).sort(), idsOf(ended));
  },

  "revokeActor: without `except`, or with one that is unknown or malformed, ends all": async (store) => {
    for (const except of [null, sessionId("nobody"), "no id" as SessionId]) {
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
    const sessions = await createMany(store, 16, { actorId: "alice" });
    const one = sessions.map(({ id }) => store.revokeSession(id, REVOCATION));
    const all = store.revokeActor("alice", REVOCATION, null);
    const again = store.revokeActor("alice", REVOCATION, null);
    const hits = (await Promise.all(one)).filter(Boolean).length;
    assert.equal(hits + (await all).length + (await again).length, 16);
    assert.deepEqual((await readLog(store)).sort(), idsOf(sessions));
  },

  "endedByReuse: the actor's own that a reuse ended after `since`, the last one first": async (store) => {
    const actorId = "alice";
    const ended: SessionRecord[] = [];
    for (const index of [0, 1, 2, 3]) {
      const revocation = { reason: "reuse", revokedAt: START + index } as const;
      ended.unshift(await createRevoked(store, `${index}`, revocation, { actorId }));
    }
    await create(store, "live", { actorId });
    for (const reason of REVOCATION_REASONS.filter((other) => other !== "reuse")) {
      await createRevoked(store, reason, { reason, revokedAt: START + DAY }, { actorId });
    }
    await createRevoked(store, "bob's", { reason: "reuse", revokedAt: START + DAY }, { actorId: "bob" });

    assertSame(await store.endedByReuse(actorId, START - 1, 100), ended);
    assertSame(await store.endedByReuse(actorId, START, 100), ended.slice(0, 3));
    assertSame(await store.endedByReuse(actorId, START - 1, 2), ended.slice(0, 2));
    assertSame(await store.endedByReuse("Alice", 0, 100), []);
  },

  "endedByReuse: also past their end, until they are pruned": async (store) => {
    const past = { actorId: "alice", idleExpiresAt: START + 1 };
    const row = await createRevoked(store, "a", { reason: "reuse", revokedAt: START }, past);
    assertSame(await store.endedByReuse("alice", 0, 100), [row]);
    await store.prune({ ...NOTHING_PRUNED, sessionsBefore: START + 2 });
    assertSame(await store.endedByReuse("alice", 0, 100), []);
  },

  "revocationsAfter: pages of any size, oldest first, up to the end": async (store) => {
    assert.deepEqual(await store.revocationsAfter(0, 10), { entries: [], position: 0, end: 0 });
    for (const index of [0, 1, 2, 3, 4, 5, 6]) {
      await createRevoked(store, `${index}`, { reason: "admin", revokedAt: START + index });
    }
    const { entries, end } = await store.revocationsAfter(0, 100);
    const logged = entries.map(({ sessionId, revokedAt }) => [sessionId, revokedAt - START]);
    assert.deepEqual(
      logged,
      [0, 1, 2, 3, 4, 5, 6].map((index) => [sessionId(`${index}`), index]),
    );
    assert.equal(end, entries.at(-1)?.position);
    for (const [index, { position }] of entries.entries()) {
      assert.ok(Number.isSafeInteger(position) && position > (entries[index - 1]?.position ?? 0));
    }
    for (const limit of [1, 2, 3, 7, 8]) {
      const page = await store.revocationsAfter(0, limit);
      assert.deepEqual(page.entries, entries.slice(0, limit));
      assert.equal(page.end, end);
      assert.deepEqual(await readLog(store, limit), sessionsOf(entries));
    }
  },

  "revocationsAfter: the place before an entry finds it again, and a place beyond the end tells the end":
    async (store) => {
      for (const label of ["a", "b", "c"]) await createRevoked(store, label);
      const { entries, position, end } = await store.revocationsAfter(0, 10);
      const again = await store.revocationsAfter(position - 1, 10);
      assert.deepEqual(again.entries.at(-1), entries.at(-1));
      assert.deepEqual(await store.revocationsAfter(end + 5, 10), { entries: [], position: end + 5, end });
    },

  "watchRevocations: is stopped by what it returns, also twice, and fails nobody": async (store) => {
    const stops = [store.watchRevocations(() => {}), store.watchRevocations(() => {})];
    await createRevoked(store, "a");
    for (const stop of [...stops, ...stops]) stop();
    await createRevoked(store, "b");
  },

  "revocationsAfter: a position that is kept finds all that comes later": async (store) => {
    await createRevoked(store, "early");
    const { position } = await store.revocationsAfter(0, 10);
    const atEnd = await store.revocationsAfter(position, 10);
    const late = await createRevoked(store, "late");
    for (const kept of [position, atEnd.position]) {
      assert.ok((await readLog(store, 10, kept)).includes(late.id));
    }
  },

  "revocationsAfter: a reader beside concurrent writers misses nothing": async (store) => {
    const sessions = await createMany(store, 64);
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
