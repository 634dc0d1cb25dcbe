import assert from "node:assert/strict";
import type { SessionId, SessionStore, SettledEvents } from "../store.ts";
import {
  assertRow,
  atOnce,
  type ConformanceCase,
  claim,
  claimOrNull,
  create,
  createMany,
  createRevoked,
  DAY,
  idsOf,
  MINUTE,
  REVOCATION,
  readLog,
  revoked,
  START,
  sessionId,
  sessionsOf,
  swapOf,
} from "./store-conformance-fixtures.ts";

/** The steps that end all, count, and deliver the security events. */
export const operatorCases: Record<string, ConformanceCase> = {
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

  "events: each revocation leaves one, whichever step it was": async (store) => {
    for (const label of ["a", "b", "c"]) await create(store, label, { actorId: "alice" });
    await create(store, "d", { actorId: "bob" });
    await store.revokeSession(sessionId("a"), { reason: "reuse", revokedAt: START });
    await store.revokeSession(sessionId("a"), REVOCATION);
    await store.revokeActor("alice", { reason: "ended", revokedAt: START + 1 }, sessionId("c"));
    await store.revokeBatch({ reason: "admin", revokedAt: START + 2 }, 100);
    const events = await claim(store);
    const { entries } = await store.revocationsAfter(0, 100);
    for (const [index, { position, sessionId, revokedAt }] of events.entries()) {
      assert.deepEqual(entries[index], { position, sessionId, revokedAt });
    }
    const told = events.map(({ sessionId, actorId, reason }) => [sessionId, actorId, reason].join(" "));
    assert.deepEqual(told.slice(0, 2), [`${sessionId("a")} alice reuse`, `${sessionId("b")} alice ended`]);
    const ofTheBatch = [`${sessionId("c")} alice admin`, `${sessionId("d")} bob admin`];
    assert.deepEqual(told.slice(2).sort(), ofTheBatch.sort());
  },

  "events: one for each session where revokeSession, revokeActor and revokeBatch meet": async (store) => {
    const sessions = await createMany(store, 24, { actorId: "alice" });
    await Promise.all([
      ...sessions.map(({ id }) => store.revokeSession(id, REVOCATION)),
      store.revokeActor("alice", { ...REVOCATION, reason: "ended" }, null),
      store.revokeBatch({ ...REVOCATION, reason: "logout" }, 100),
    ]);
    const events = await claim(store);
    assert.deepEqual(sessionsOf(events).sort(), idsOf(sessions));
    for (const event of events) {
      assert.equal(event.reason, (await store.findSession(event.sessionId))?.revokedReason);
    }
  },

  "claimEvents: the oldest first, `limit` at most, the same again until they are settled": async (store) => {
    assert.deepEqual(await claim(store), []);
    await revokeSome(store, 5);
    const all = await claim(store);
    assert.equal(all.length, 5);
    assert.deepEqual(await claim(store, { limit: 2 }), all.slice(0, 2));
    assert.deepEqual(await claim(store, { limit: 2 }), all.slice(0, 2));
    assert.equal(await settle(store, all[1]), true);
    assert.deepEqual(await claim(store, { limit: 2 }), all.slice(2, 4));
    assert.equal(await settle(store, all[4]), true);
    assert.deepEqual(await claim(store), []);
    await revokeSome(store, 1, "later");
    const [later, ...more] = await claim(store);
    assert.ok(later !== undefined && more.length === 0 && later.position > (all[4]?.position ?? 0));
  },

  "claimEvents: one of many at once gets the delivery claim": async (store) => {
    await revokeSome(store, 3);
    const claims = await atOnce(16, (index) =>
      store.claimEvents({ owner: `owner ${index}`, now: START, until: START + MINUTE, limit: 10 }),
    );
    assert.deepEqual(
      claims.filter((claimed) => claimed !== null).map(({ length }) => length),
      [3],
    );
  },

  "claimEvents: a claim is taken over when it is over, not a millisecond before, and not its owner's": async (
    store,
  ) => {
    await revokeSome(store, 1);
    const until = START + MINUTE;
    assert.equal((await claim(store, { until })).length, 1);
    assert.equal(await claimOrNull(store, { owner: "b", now: until - 1 }), null);
    // The owner extends it.
    assert.equal((await claim(store, { now: until - 1, until: until + MINUTE })).length, 1);
    assert.equal(await claimOrNull(store, { owner: "b", now: until + MINUTE - 1 }), null);
    const taken = await claim(store, { owner: "b", now: until + MINUTE, until: until + 2 * MINUTE });
    assert.equal(taken.length, 1);
    assert.equal(await claimOrNull(store, { owner: "a", now: until + MINUTE }), null);
  },

  "settleEvents: false without the claim or after its loss, and nothing goes": async (store) => {
    await revokeSome(store, 2);
    const all = { position: Number.MAX_SAFE_INTEGER };
    assert.equal(await settle(store, all), false);
    const events = await claim(store, { until: START + MINUTE });
    assert.equal(await settle(store, all, { owner: "b", release: true }), false);
    await claim(store, { owner: "b", now: START + MINUTE, until: START + 2 * MINUTE });
    assert.equal(await settle(store, all, { release: true }), false);
    assert.deepEqual(await claim(store, { owner: "b", now: START + MINUTE }), events);
  },

  "settleEvents: an owner whose time is over settles until another one has the claim": async (store) => {
    await revokeSome(store, 1);
    const [event] = await claim(store, { until: START + 1 });
    assert.equal(await settle(store, event, { release: true }), true);
    assert.deepEqual(await claim(store, { owner: "b", now: START }), []);
  },

  "settleEvents: `release` gives the claim to the next owner that asks": async (store) => {
    await revokeSome(store, 2);
    const events = await claim(store);
    assert.equal(await settle(store, events[0], { release: true }), true);
    assert.equal(await settle(store, events[1], { release: true }), false);
    assert.deepEqual(await claim(store, { owner: "b" }), events.slice(1));
  },
};

/** Up to and with this event. */
function settle(
  store: SessionStore,
  event: Pick<SettledEvents, "position"> | undefined,
  settled: Partial<SettledEvents> = {},
): Promise<boolean> {
  assert.ok(event !== undefined);
  return store.settleEvents({ owner: "a", position: event.position, release: false, ...settled });
}

/** One after the other, so that their events are in this order. */
async function revokeSome(store: SessionStore, count: number, label = ""): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await createRevoked(store, `${label}${index}`);
  }
}
