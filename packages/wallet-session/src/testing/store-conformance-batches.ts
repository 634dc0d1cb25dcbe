import assert from "node:assert/strict";
import type { SessionId, SessionStore } from "../store.ts";
import {
  assertRow,
  atOnce,
  type ConformanceCase,
  create,
  createMany,
  createRevoked,
  DAY,
  idsOf,
  REVOCATION,
  readLog,
  revoked,
  START,
  sessionId,
  swapOf,
} from "./store-conformance-fixtures.ts";

export const batchCases: Record<string, ConformanceCase> = {
  "revokeBatch: all that have not ended, idle ones too, in batches until fewer come": async (store) => {
    assert.deepEqual(await store.revokeBatch(REVOCATION, 10), []);
    const sessions = await createMany(store, 7);
    const idle = await create(store, "idle", { idleExpiresAt: REVOCATION.revokedAt - 1 });
    const ended = await create(store, "at its end", { expiresAt: REVOCATION.revokedAt });
    const before = await createRevoked(store, "revoked before", { reason: "logout", revokedAt: START });
    const ids: SessionId[] = [];
    for (const count of [3, 3, 2, 0]) {
      const batch = await store.revokeBatch(REVOCATION, 3);
      assert.equal(batch.length, count);
      ids.push(...batch);
    }
    const all = [...sessions, idle];
    assert.deepEqual(ids.sort(), idsOf(all));
    for (const row of [...all.map((session) => revoked(session)), ended, before]) await assertRow(store, row);
    assert.deepEqual((await readLog(store)).slice(1).sort(), idsOf(all));
  },

  "revokeBatch: of many at once, each session is revoked by one": async (store) => {
    const sessions = await createMany(store, 60);
    const ids = (await atOnce(8, () => revokeAll(store, 7))).flat();
    assert.deepEqual(ids.sort(), idsOf(sessions));
    assert.equal((await store.revocationsAfter(0, 100)).entries.length, 60);
  },

  "revokeBatch beside rotations: none is passed over, and none rotates afterwards": async (store) => {
    const sessions = await createMany(store, 30);
    const rotating = Promise.all(sessions.map((session) => store.rotate(swapOf(session, session.id))));
    assert.equal((await store.revokeBatch(REVOCATION, 100)).length, 30);
    await rotating;
    const rows = await Promise.all(sessions.map(({ id }) => store.findSession(id)));
    assert.ok(rows.every((row) => row?.revokedAt === REVOCATION.revokedAt));
  },

  "countSessions: those neither revoked nor past their end; idle ones until they are pruned": async (
    store,
  ) => {
    assert.equal(await store.countSessions(START), 0);
    const { id } = await create(store, "a");
    await create(store, "idle", { idleExpiresAt: START + 1 });
    await create(store, "short", { expiresAt: START + DAY });
    assert.equal(await store.countSessions(START + DAY - 1), 3);
    assert.equal(await store.countSessions(START + DAY), 2);
    assert.equal(await store.revokeSession(id, REVOCATION), true);
    assert.equal(await store.countSessions(START + DAY), 1);
    assert.equal(await store.revokeSession(sessionId("nobody"), REVOCATION), false);
    assert.equal(await store.countSessions(START), 2);
  },
};

/** Batch after batch, until one has fewer. */
export async function revokeAll(store: SessionStore, limit: number): Promise<SessionId[]> {
  const ids: SessionId[] = [];
  for (;;) {
    const batch = await store.revokeBatch(REVOCATION, limit);
    ids.push(...batch);
    if (batch.length < limit) return ids;
  }
}
