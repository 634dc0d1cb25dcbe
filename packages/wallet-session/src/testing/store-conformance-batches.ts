import assert from "node:assert/strict";
import type { SessionId, SessionStore } from "../store.ts";
import {
  assertRow,
  atOnce,
  type ConformanceCase,
  create,
  DAY,
  MINUTE,
  readLog,
  START,
  sessionId,
  swapOf,
} from "./store-conformance-fixtures.ts";

const REVOCATION = { reason: "admin", revokedAt: START + 2 * MINUTE } as const;

export const batchCases: Record<string, ConformanceCase> = {
  "revokeBatch: nothing to revoke in an empty store": async (store) => {
    assert.deepEqual(await store.revokeBatch(REVOCATION, 10), []);
  },

  "revokeBatch: all that have not ended, idle ones too, in batches until fewer come": async (store) => {
    const sessions = await atOnce(7, (index) => create(store, `${index}`));
    const idle = await create(store, "idle", { idleExpiresAt: REVOCATION.revokedAt - 1 });
    const ended = await create(store, "at its end", { expiresAt: REVOCATION.revokedAt });
    const before = await create(store, "revoked before");
    await store.revokeSession(before.id, { reason: "logout", revokedAt: START });

    const batches = [await store.revokeBatch(REVOCATION, 3), await store.revokeBatch(REVOCATION, 3)];
    batches.push(await store.revokeBatch(REVOCATION, 3), await store.revokeBatch(REVOCATION, 3));
    assert.deepEqual(
      batches.map(({ length }) => length),
      [3, 3, 2, 0],
    );
    const all = [...sessions, idle];
    assert.deepEqual(batches.flat().sort(), all.map(({ id }) => id).sort());
    const { revokedAt, reason } = REVOCATION;
    for (const session of all) await assertRow(store, { ...session, revokedAt, revokedReason: reason });
    await assertRow(store, ended);
    await assertRow(store, { ...before, revokedAt: START, revokedReason: "logout" });
    assert.deepEqual((await readLog(store)).slice(1).sort(), all.map(({ id }) => id).sort());
  },

  "revokeBatch: of many at once, each session is revoked by one": async (store) => {
    const sessions = await atOnce(60, (index) => create(store, `${index}`));
    const ids = (await atOnce(8, () => revokeAll(store, 7))).flat();
    assert.deepEqual(ids.sort(), sessions.map(({ id }) => id).sort());
    assert.equal((await store.revocationsAfter(0, 100)).entries.length, 60);
  },

  "revokeBatch beside rotations: none is passed over, and none rotates afterwards": async (store) => {
    const sessions = await atOnce(30, (index) => create(store, `${index}`));
    const rotating = Promise.all(sessions.map((session) => store.rotate(swapOf(session, session.id))));
    assert.equal((await store.revokeBatch(REVOCATION, 100)).length, 30);
    await rotating;
    for (const { id } of sessions)
      assert.equal((await store.findSession(id))?.revokedAt, REVOCATION.revokedAt);
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
