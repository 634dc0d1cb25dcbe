import assert from "node:assert/strict";
import type { SealedSigningKey, SessionId, SessionStore } from "../store.ts";
import {
  afterSwap,
  assertRotated,
  assertRow,
  assertSame,
  assertUnmatched,
  atOnce,
  bytes,
  challenge,
  create,
  createMany,
  createRevoked,
  idsOf,
  MINUTE,
  newSession,
  positionsOf,
  proofFailure,
  REVOCATION,
  readLog,
  revoked,
  START,
  signingKey,
  swapOf,
} from "./store-conformance-fixtures.ts";
import { rotateInChain } from "./store-conformance-rotation.ts";

/** A case about data that outlives or is shared by connections; `another` opens one more onto the same data. */
type SharedDataCase = (first: SessionStore, another: () => Promise<SessionStore>) => Promise<void>;

export const sharedDataCases: Record<string, SharedDataCase> = {
  "restart: everything acknowledged is there again": async (first, another) => {
    const live = await create(first, "live", { retryKeyHash: bytes("retry", 32), binding: "thumbprint" });
    const swap = swapOf(live, "live");
    await first.rotate(swap);
    const ended = await createRevoked(first, "ended");
    await first.addSigningKey(signingKey("a"), null);
    await first.createSession(newSession("c"), challenge("consumed"));
    await first.close();

    const second = await another();
    await assertRow(second, afterSwap(live, swap));
    assertUnmatched(await second.rotate(swapOf(live, "the old generation")), afterSwap(live, swap));
    await assertRow(second, ended);
    assert.deepEqual(await readLog(second), [ended.id]);
    assertSame(await second.signingKeys(), [signingKey("a")]);
    const used = await second.createSession(newSession("d"), challenge("consumed"));
    assert.deepEqual(used, { outcome: "challenge_used" });
  },

  "restart between any two rotations: the chain goes on where it stood": async (first, another) => {
    let store = first;
    await rotateInChain(await create(store, "a"), 5, async () => {
      await store.close();
      store = await another();
      return store;
    });
  },

  "restart: what was begun before close is there": async (first, another) => {
    const session = newSession("a");
    const creating = first.createSession(session, challenge("a"));
    await first.close();
    await creating;
    await assertRow(await another(), session);
  },

  "two connections: each sees what the other was told is done": async (first, another) => {
    const second = await another();
    await rotateInChain(await create(first, "a"), 20, (generation) =>
      generation % 2 === 0 ? first : second,
    );
  },

  "two connections: workers that take turns deliver each security event once and in order": async (
    first,
    another,
  ) => {
    const second = await another();
    const sessions = await createMany(first, 30);
    const delivered: number[] = [];
    const work = async (store: SessionStore, owner: string) => {
      while (delivered.length < sessions.length) {
        const events = await store.claimEvents({ owner, now: START, until: START + MINUTE, limit: 4 });
        if (events === null) continue;
        delivered.push(...positionsOf(events));
        const position = events.at(-1)?.position ?? 0;
        assert.equal(await store.settleEvents({ owner, position, release: true }), true);
      }
    };
    const revoking = Promise.all(
      sessions.map(({ id }, index) => (index % 2 === 0 ? first : second).revokeSession(id, REVOCATION)),
    );
    await Promise.all([work(first, "a"), work(second, "b"), work(second, "c"), revoking]);
    const { entries } = await first.revocationsAfter(0, 100);
    assert.deepEqual(delivered, positionsOf(entries));
  },
};

/** Calls at the same moment, on one connection or on several in turn. */
type Race = (...stores: readonly [SessionStore, ...SessionStore[]]) => Promise<void>;

export const races: Record<string, Race> = {
  "createSession: of 32 at once with one challenge, exactly one is created": async (...stores) => {
    const sessions = Array.from({ length: 32 }, (_, index) => newSession(`racer ${index}`));
    const creating = sessions.map((session, index) =>
      inTurn(stores, index).createSession(session, challenge("one")),
    );
    const outcomes = await Promise.all(creating);
    const winners = sessions.filter((_, index) => outcomes[index]?.outcome === "created");
    assert.equal(winners.length, 1);
    for (const session of sessions) {
      assertSame(await stores[0].findSession(session.id), winners.includes(session) ? session : null);
    }
  },

  "rotate: of 32 at once for one generation, exactly one hits, and the row is the winner's": async (
    ...stores
  ) => {
    let row = await create(stores[0], "a");
    for (let round = 1; round <= 10; round += 1) {
      const swaps = Array.from({ length: 32 }, (_, index) =>
        swapOf(row, `${round} ${index}`, { retryKeyHash: index % 2 === 0 ? null : bytes(`${index}`, 32) }),
      );
      const outcomes = await Promise.all(swaps.map((swap, index) => inTurn(stores, index).rotate(swap)));
      const winners = swaps.filter((_, index) => outcomes[index]?.outcome === "rotated");
      const [winner] = winners;
      assert.ok(
        winner !== undefined && winners.length === 1,
        `${winners.length} of one generation were rotated`,
      );
      row = afterSwap(row, winner);
      for (const outcome of outcomes) {
        if (outcome.outcome === "rotated") assertRotated(outcome, row);
        else assertUnmatched(outcome, row);
      }
      for (const store of stores) await assertRow(store, row);
    }
    assert.equal(row.generation, 11);
  },

  "rotate: of 32 at once that bind the session to a key each, exactly one hits, and the row is bound to its key":
    async (...stores) => {
      const session = await create(stores[0], "a");
      const swaps = Array.from({ length: 32 }, (_, index) =>
        swapOf(session, `${index}`, { nextBinding: index === 0 ? null : `key ${index}` }),
      );
      const outcomes = await Promise.all(swaps.map((swap, index) => inTurn(stores, index).rotate(swap)));
      const [winner, ...more] = swaps.filter((_, index) => outcomes[index]?.outcome === "rotated");
      assert.ok(winner !== undefined && more.length === 0);
      for (const store of stores) await assertRow(store, afterSwap(session, winner));
    },

  "consumeChallenge: of 32 at once, sign-ins among them, exactly one gets the challenge": async (
    ...stores
  ) => {
    for (const label of ["one", "two", "three"]) {
      const outcomes = await atOnce(32, async (index) => {
        const store = inTurn(stores, index);
        if (index % 2 === 0) return store.consumeChallenge(challenge(label));
        const { outcome } = await store.createSession(newSession(`${label} ${index}`), challenge(label));
        return outcome === "created";
      });
      assert.equal(outcomes.filter(Boolean).length, 1);
    }
  },

  "noteProofFailure: of 32 at once for one session, exactly one is true, and there is one event": async (
    ...stores
  ) => {
    const sessions = await createMany(stores[0], 4);
    const noted = await atOnce(128, async (index) => {
      const { id, actorId } = sessions[index >> 5] ?? newSession("nobody");
      return inTurn(stores, index).noteProofFailure(proofFailure({ id, actorId }, START + (index % 32)));
    });
    for (const index of sessions.keys()) {
      assert.equal(noted.slice(32 * index, 32 * (index + 1)).filter(Boolean).length, 1);
    }
    const events = await stores[0].claimEvents({ owner: "a", now: START, until: START, limit: 100 });
    assert.deepEqual(events?.map(({ sessionId }) => sessionId).sort(), idsOf(sessions));
  },

  "noteProofFailure and revokeSession at the same moment: each event has a position of its own": async (
    ...stores
  ) => {
    const sessions = await createMany(stores[0], 30);
    await Promise.all(
      sessions.flatMap((session, index) => [
        inTurn(stores, index).revokeSession(session.id, REVOCATION),
        inTurn(stores, index + 1).noteProofFailure(proofFailure(session)),
      ]),
    );
    const [first] = stores;
    const events = (await first.claimEvents({ owner: "a", now: START, until: START, limit: 100 })) ?? [];
    assert.equal(new Set(positionsOf(events)).size, 60);
    const { entries, end } = await first.revocationsAfter(0, 100);
    assert.equal(end, events.at(-1)?.position);
    const revocations = events.filter(({ reason }) => reason !== "proof_failed");
    assert.deepEqual(
      revocations.map(({ position, sessionId, revokedAt }) => ({ position, sessionId, revokedAt })),
      entries,
    );
  },

  "rotate and revokeSession at the same moment, either first: no rotation after the revocation's answer":
    async (...stores) => {
      const [first, second = first] = stores;
      for (let attempt = 0; attempt < 20; attempt += 1) {
        const session = await create(first, `${attempt}`);
        const swap = swapOf(session, `${attempt}`);
        const revoke = () => second.revokeSession(session.id, REVOCATION);
        const begunFirst = attempt % 2 === 0 ? revoke() : null;
        const rotating = first.rotate(swap);
        assert.equal(await (begunFirst ?? revoke()), true);
        const atRevocation = await second.findSession(session.id);
        const { outcome } = await rotating;
        const row = revoked(outcome === "rotated" ? afterSwap(session, swap) : session);
        assertSame(atRevocation, row);
        await assertRow(first, row);
        assertUnmatched(await first.rotate(swapOf(row, `${attempt} after`)), row);
        assert.equal((await readLog(first)).length, attempt + 1);
      }
    },

  "revokeSession: each session twice at once, one call hits, and no reader of the log misses one": async (
    ...stores
  ) => {
    const sessions = await createMany(stores[0], 40);
    const hits = await atOnce(80, (index) => {
      const { id } = sessions[index >> 1] ?? newSession("nobody");
      return inTurn(stores, index).revokeSession(id, REVOCATION);
    });
    assert.equal(hits.filter(Boolean).length, 40);
    for (const store of stores) assert.deepEqual((await readLog(store, 7)).sort(), idsOf(sessions));
  },

  "revokeBatch: of many at once, each session is revoked by one": async (...stores) => {
    const sessions = await createMany(stores[0], 60);
    const ids = (await atOnce(8, (index) => revokeAll(inTurn(stores, index), 7))).flat();
    assert.deepEqual(ids.sort(), idsOf(sessions));
    assert.equal((await stores[0].revocationsAfter(0, 100)).entries.length, 60);
    for (const store of stores) assert.equal(await store.countSessions(START), 0);
  },

  "addSigningKey: of 32 at once as the first or after the same key, exactly one is true": async (
    ...stores
  ) => {
    const keys: SealedSigningKey[] = [];
    for (const round of ["first", "next"]) {
      const mine = Array.from({ length: 32 }, (_, index) => signingKey(`${round} ${index}`));
      const newest = keys.at(-1)?.kid ?? null;
      const added = await Promise.all(
        mine.map((key, index) => inTurn(stores, index).addSigningKey(key, newest)),
      );
      assert.equal(added.filter(Boolean).length, 1);
      keys.push(...mine.filter((_, index) => added[index]));
      for (const store of stores) assertSame(await store.signingKeys(), keys);
    }
  },
};

function inTurn(stores: Parameters<Race>, index: number): SessionStore {
  return stores[index % stores.length] ?? stores[0];
}

/** Batch after batch, until one has fewer. */
async function revokeAll(store: SessionStore, limit: number): Promise<SessionId[]> {
  const ids: SessionId[] = [];
  for (;;) {
    const batch = await store.revokeBatch(REVOCATION, limit);
    ids.push(...batch);
    if (batch.length < limit) return ids;
  }
}
