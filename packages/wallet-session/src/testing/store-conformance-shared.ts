import assert from "node:assert/strict";
import type { SessionStore } from "../store.ts";
import {
  afterSwap,
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
  REVOCATION,
  readLog,
  revoked,
  START,
  signingKey,
  swapOf,
} from "./store-conformance-fixtures.ts";
import { revokeAll } from "./store-conformance-operators.ts";
import { raceRotations, rotateInChain } from "./store-conformance-rotation.ts";

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

  "two connections: of 32 rotations of one generation, exactly one hits": async (first, another) =>
    raceRotations(first, await another()),

  "two connections: one challenge, one session": async (first, another) => {
    const second = await another();
    const outcomes = await atOnce(32, (index) =>
      (index % 2 === 0 ? first : second).createSession(newSession(`${index}`), challenge("one")),
    );
    assert.equal(outcomes.filter(({ outcome }) => outcome === "created").length, 1);
  },

  "two connections: no rotation after the other's acknowledged revocation": async (first, another) => {
    const second = await another();
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const session = await create(first, `${attempt}`);
      const swap = swapOf(session, `${attempt}`);
      const rotating = first.rotate(swap);
      assert.equal(await second.revokeSession(session.id, REVOCATION), true);
      const atRevocation = await second.findSession(session.id);
      const row = (await rotating).outcome === "rotated" ? afterSwap(session, swap) : session;
      assertSame(atRevocation, revoked(row));
      await assertRow(first, revoked(row));
      assert.equal((await first.rotate(swapOf(row, "after"))).outcome, "unmatched");
    }
  },

  "two connections: revocations of both are logged once each, and no reader misses one": async (
    first,
    another,
  ) => {
    const second = await another();
    const sessions = await createMany(first, 40);
    const hits = await Promise.all(
      sessions.flatMap(({ id }) => [
        first.revokeSession(id, REVOCATION),
        second.revokeSession(id, REVOCATION),
      ]),
    );
    assert.equal(hits.filter(Boolean).length, 40);
    for (const store of [first, second]) assert.deepEqual((await readLog(store, 7)).sort(), idsOf(sessions));
  },

  "two connections: each ends all, and each session is ended once": async (first, another) => {
    const second = await another();
    const sessions = await createMany(first, 60);
    const ids = (await atOnce(6, (index) => revokeAll(index % 2 === 0 ? first : second, 7))).flat();
    assert.deepEqual(ids.sort(), idsOf(sessions));
    assert.equal(await second.countSessions(START), 0);
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
        delivered.push(...events.map(({ position }) => position));
        const position = events.at(-1)?.position ?? 0;
        assert.equal(await store.settleEvents({ owner, position, release: true }), true);
      }
    };
    const revoking = Promise.all(
      sessions.map(({ id }, index) => (index % 2 === 0 ? first : second).revokeSession(id, REVOCATION)),
    );
    await Promise.all([work(first, "a"), work(second, "b"), work(second, "c"), revoking]);
    const { entries } = await first.revocationsAfter(0, 100);
    assert.deepEqual(
      delivered,
      entries.map(({ position }) => position),
    );
  },

  "two connections: of 32 first signing keys, exactly one is added": async (first, another) => {
    const second = await another();
    const added = await atOnce(32, (index) =>
      (index % 2 === 0 ? first : second).addSigningKey(signingKey(`key ${index}`), null),
    );
    assert.equal(added.filter(Boolean).length, 1);
    assert.equal((await second.signingKeys()).length, 1);
  },
};
