import assert from "node:assert/strict";
import type { SessionRecord } from "../store.ts";
import {
  assertRow,
  type ConformanceCase,
  challenge,
  claim,
  create,
  createRevoked,
  DAY,
  HOUR,
  NONE,
  NOTHING_PRUNED,
  newSession,
  positionsOf,
  proofFailure,
  REVOCATION,
  readLog,
  START,
  sessionId,
  sessionsOf,
} from "./store-conformance-fixtures.ts";

/** The steps of keys that sessions are bound to, but for the rotation. */
export const proofCases: Record<string, ConformanceCase> = {
  "consumeChallenge: true once, and a sign-in counts as well": async (store) => {
    assert.equal(await store.consumeChallenge(challenge("a")), true);
    assert.equal(await store.consumeChallenge(challenge("a")), false);
    assert.equal(await store.consumeChallenge({ ...challenge("a"), expiresAt: START + DAY }), false);
    const used = await store.createSession(newSession("a"), challenge("a"));
    assert.deepEqual(used, { outcome: "challenge_used" });
    assert.equal(await store.findSession(sessionId("a")), null);
    assert.deepEqual(await store.createSession(newSession("b"), challenge("b")), { outcome: "created" });
    assert.equal(await store.consumeChallenge(challenge("b")), false);
    assert.equal(await store.consumeChallenge({ ...challenge("b"), id: "Challenge b" }), true);
  },

  "consumeChallenge: its mark is pruned when its time is over": async (store) => {
    const { id, expiresAt } = challenge("a");
    await store.consumeChallenge({ id, expiresAt });
    assert.equal((await store.prune({ ...NOTHING_PRUNED, now: expiresAt })).challenges, 0);
    assert.equal(await store.consumeChallenge({ id, expiresAt }), false);
    assert.equal((await store.prune({ ...NOTHING_PRUNED, now: expiresAt + 1 })).challenges, 1);
    assert.equal(await store.consumeChallenge({ id, expiresAt }), true);
  },

  "noteProofFailure: once in a while, exactly, and each of them leaves an event": async (store) => {
    const session = await create(store, "a", { actorId: "Zoë", binding: "key" });
    const { id, actorId } = session;
    const note = (at: number, since: number) => store.noteProofFailure({ sessionId: id, actorId, at, since });
    assert.equal(await note(START, START - HOUR), true);
    assert.equal(await note(START + 1, START - 1), false);
    // Also what comes later is measured from the one that was noted.
    assert.equal(await note(START + HOUR, START - 1), false);
    assert.equal(await note(START + HOUR, START), true);
    assert.equal(await note(START + HOUR, START + HOUR - 1), false);
    // A clock that was set back finds one in its future.
    assert.equal(await note(START, START - HOUR), false);
    assert.deepEqual(
      (await claim(store)).map(({ position, ...event }) => event),
      [START, START + HOUR].map((revokedAt) => ({
        sessionId: id,
        actorId,
        reason: "proof_failed",
        revokedAt,
      })),
    );
    await assertRow(store, session);
  },

  "noteProofFailure: its event has its place among the revocations, and the log leaves that out": async (
    store,
  ) => {
    const noted = await create(store, "noted");
    assert.equal(await store.noteProofFailure(proofFailure(noted)), true);
    assert.deepEqual(await readLog(store), []);
    await createRevoked(store, "a");
    assert.equal(await store.noteProofFailure(proofFailure(noted, START + DAY)), true);
    await createRevoked(store, "b");
    const ended = await store.revocationsAfter(0, 100);
    assert.equal(await store.noteProofFailure(proofFailure(noted, START + 2 * DAY)), true);

    const events = await claim(store);
    assert.deepEqual(sessionsOf(events), ["noted", "a", "noted", "b", "noted"].map(sessionId));
    for (const [index, { position }] of events.entries()) {
      assert.ok(Number.isSafeInteger(position) && position > (events[index - 1]?.position ?? 0));
    }
    assert.equal(ended.end, events[3]?.position);
    const { entries, end, position } = await store.revocationsAfter(0, 100);
    assert.deepEqual(positionsOf(entries), [events[1]?.position, events[3]?.position]);
    assert.equal(position, events[3]?.position);
    assert.equal(end, events[4]?.position);
    assert.deepEqual(await store.revocationsAfter(position, 100), { entries: [], position, end });
    await createRevoked(store, "c");
    assert.ok((await store.revocationsAfter(position, 1)).end > end);
    assert.deepEqual(await readLog(store, 1), ["a", "b", "c"].map(sessionId));
    // What is settled is what came before the place.
    await store.settleEvents({ owner: "a", position: events[2]?.position ?? 0, release: false });
    assert.deepEqual((await claim(store)).slice(0, 2), events.slice(3));
  },

  "proofFailures: the last of each session that has one": async (store) => {
    assert.deepEqual(await store.proofFailures([]), new Map());
    const [a, b] = [await create(store, "a"), await create(store, "b")];
    await create(store, "none");
    await store.noteProofFailure(proofFailure(a));
    await store.noteProofFailure(proofFailure(b, START + 1));
    await store.noteProofFailure(proofFailure(b, START + DAY));
    // The types rule the last one out.
    const asked = [b.id, sessionId("none"), a.id, sessionId("nobody"), "no id" as typeof a.id];
    const failures = new Map([...(await store.proofFailures(asked))].sort());
    const expected: [typeof a.id, number][] = [
      [a.id, START],
      [b.id, START + DAY],
    ];
    assert.deepEqual(failures, new Map(expected.sort()));
    assert.deepEqual(await store.proofFailures([sessionId("none")]), new Map());
    // The note does not go with the session.
    await store.revokeSession(a.id, REVOCATION);
    assert.deepEqual(await store.proofFailures([a.id]), new Map([[a.id, START]]));
  },

  "prune: notes of proof failures before the bound, exactly, `limit` at a time, not counted": async (
    store,
  ) => {
    const sessions: SessionRecord[] = [];
    for (const index of [0, 1, 2, 3]) sessions.push(await create(store, `${index}`));
    for (const [index, session] of sessions.entries()) {
      await store.noteProofFailure(proofFailure(session, START + index));
    }
    await store.settleEvents({
      owner: "a",
      position: (await claim(store)).at(-1)?.position ?? 0,
      release: true,
    });
    const left = async () => (await store.proofFailures(sessions.map(({ id }) => id))).size;
    const due = { ...NOTHING_PRUNED, eventsBefore: START + 3 };
    for (const [limit, kept] of [
      [2, 2],
      [2, 1],
      [2, 1],
    ] as const) {
      const counts = await store.prune({ ...due, limit });
      assert.deepEqual(counts, NONE);
      assert.equal(await left(), kept);
    }
    const [first, , , last] = sessions;
    assert.ok(first !== undefined && last !== undefined);
    assert.equal((await store.proofFailures([last.id])).get(last.id), START + 3);
    assert.equal(await store.noteProofFailure({ ...proofFailure(first), since: 0 }), true);
  },

  "prune: the event of a proof failure goes by its own time": async (store) => {
    await store.noteProofFailure(proofFailure(await create(store, "a")));
    await store.noteProofFailure(proofFailure(await create(store, "b"), START + 1));
    assert.equal((await store.prune({ ...NOTHING_PRUNED, eventsBefore: START + 1 })).events, 1);
    assert.deepEqual(
      (await claim(store)).map(({ sessionId }) => sessionId),
      [sessionId("b")],
    );
  },
};
