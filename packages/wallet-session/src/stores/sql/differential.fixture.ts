import fc from "fast-check";
import { expect } from "vitest";
import type { SessionStore } from "../../store.ts";
import {
  assertSame,
  bytes,
  challenge,
  newSession,
  readLog,
  START,
  sessionId,
  signingKey,
} from "../../testing/store-conformance-fixtures.ts";
import { createMemoryStore } from "../memory.ts";

/** Few values of each kind, so that steps meet. Times lie around the limits of the sessions. */
const label = fc.constantFrom("a", "b", "c", "d");
const actorId = fc.constantFrom("alice", "bob");
const time = fc.integer({ min: 0, max: 12 }).map((tick) => START + tick);
/** A rotation gives no earlier end: what a store makes of that is left to it. */
const firstIdleEnd = fc.integer({ min: 0, max: 6 }).map((tick) => START + tick);
const nextIdleEnd = fc.integer({ min: 6, max: 12 }).map((tick) => START + tick);
const binding = fc.constantFrom(null, null, "k1", "k2");
const generation = fc.integer({ min: 1, max: 4 });
const hashOf = (of: number) => bytes(`hash ${of}`, 32);
const kid = fc.constantFrom("k1", "k2", "k3");

type Write = (store: SessionStore) => Promise<unknown>;

const write: fc.Arbitrary<Write> = fc.oneof(
  fc
    .record({ label, actorId, used: label, created: time, idleExpiresAt: firstIdleEnd, expiresAt: time })
    .map(({ label, actorId, used, created, idleExpiresAt, expiresAt }): Write => {
      const session = newSession(label, {
        actorId,
        createdAt: created,
        rotatedAt: created,
        idleExpiresAt,
        expiresAt,
        secretHash: hashOf(1),
      });
      return (store) => store.createSession(session, { ...challenge(used), expiresAt: created });
    }),
  fc
    .record({
      label,
      generation,
      hash: generation,
      now: time,
      idleExpiresAt: nextIdleEnd,
      retry: fc.boolean(),
      binding,
      nextBinding: binding,
    })
    .map(({ label, generation, hash, now, idleExpiresAt, retry, binding, nextBinding }): Write => {
      const swap = {
        id: sessionId(label),
        transport: "body",
        generation,
        // Mostly the hash that belongs to the generation.
        secretHash: hashOf(hash === 1 ? 1 : generation),
        nextSecretHash: hashOf(generation + 1),
        nextSalt: bytes(`salt ${now}`, 16),
        retryKeyHash: retry ? bytes("retry", 32) : null,
        binding,
        nextBinding,
        now,
        idleExpiresAt,
      } as const;
      return (store) => store.rotate(swap);
    }),
  label.map(
    (used): Write =>
      (store) =>
        store.consumeChallenge({ ...challenge(used), expiresAt: START + 6 }),
  ),
  fc.record({ label, actorId, at: time, since: time }).map(
    ({ label, ...failure }): Write =>
      (store) =>
        store.noteProofFailure({ sessionId: sessionId(label), ...failure }),
  ),
  fc.record({ label, revokedAt: time, reason: fc.constantFrom("logout" as const, "reuse" as const) }).map(
    ({ label, ...revocation }): Write =>
      (store) =>
        store.revokeSession(sessionId(label), revocation),
  ),
  fc.record({ actorId, revokedAt: time, except: fc.option(label) }).map(
    ({ actorId, revokedAt, except }): Write =>
      async (store) => {
        const kept = except === null ? null : sessionId(except);
        return (await store.revokeActor(actorId, { reason: "ended", revokedAt }, kept)).sort();
      },
  ),
  fc.record({ revokedAt: time, all: fc.constant(1_000) }).map(
    ({ revokedAt, all }): Write =>
      async (store) =>
        (await store.revokeBatch({ reason: "admin", revokedAt }, all)).sort(),
  ),
  fc.record({ owner: fc.constantFrom("one", "other"), now: time, until: time }).map(
    (claim): Write =>
      async (store) =>
        (await store.claimEvents({ ...claim, limit: 1_000 }))
          ?.map(({ sessionId, reason, revokedAt }) => [sessionId, reason, revokedAt].join())
          .sort(),
  ),
  fc.record({ owner: fc.constantFrom("one", "other"), release: fc.boolean(), all: fc.boolean() }).map(
    ({ all, ...settled }): Write =>
      (store) =>
        store.settleEvents({ ...settled, position: all ? 1_000 : 0 }),
  ),
  fc.record({ kid, newest: fc.option(kid) }).map(
    ({ kid, newest }): Write =>
      (store) =>
        store.addSigningKey(signingKey(kid), newest),
  ),
  fc.record({ now: time, sessionsBefore: time, revocationsBefore: time, eventsBefore: time }).map(
    (before): Write =>
      (store) =>
        store.prune({ ...before, limit: 1_000 }),
  ),
);

/** All that can be read, in an order that does not depend on the store. */
async function snapshot(store: SessionStore): Promise<unknown> {
  const ids = ["a", "b", "c", "d"].map(sessionId);
  const lists = await Promise.all(["alice", "bob"].map((actor) => store.listSessions(actor, START + 5, 100)));
  for (const list of lists) {
    const times = list.map(({ createdAt }) => createdAt);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
  }
  return {
    rows: await Promise.all(ids.map((id) => store.findSession(id))),
    listed: lists.map((list) => list.map(({ id }) => id).sort()),
    alarms: await Promise.all(
      ["alice", "bob"].map(async (actor) => {
        const ended = await store.endedByReuse(actor, START + 3, 100);
        expect(ended).toEqual(ended.toSorted((a, b) => (b.revokedAt ?? 0) - (a.revokedAt ?? 0)));
        return ended.map(({ id }) => id).sort();
      }),
    ),
    proofFailures: [...(await store.proofFailures(ids))].sort(),
    log: (await readLog(store)).sort(),
    logEnd: (await store.revocationsAfter(0, 1)).end,
    counts: await Promise.all([0, 5].map((tick) => store.countSessions(START + tick))),
    keys: await store.signingKeys(),
  };
}

/** Outcomes of steps asked for at the same moment; a rejection counts as one, whatever its message. */
async function outcomes(store: SessionStore, steps: readonly Write[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(steps.map((step) => step(store)));
  return settled.map((result) => (result.status === "fulfilled" ? result.value : "rejected"));
}

/**
 * Any sequence of groups of steps has the outcomes and leaves the state that memory has. The steps of a group are asked for at
 * the same moment: more than one only of a store that takes them in the order in which they come.
 */
export async function compareWithMemory(
  open: () => SessionStore | Promise<SessionStore>,
  { largestGroup, runs }: { largestGroup: number; runs: number },
): Promise<void> {
  const group = fc.array(write, { minLength: 1, maxLength: largestGroup });
  const groups = fc.array(group, { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(groups, async (groups) => {
      const memory = createMemoryStore();
      const store = await open();
      try {
        for (const steps of groups) {
          assertSame(await outcomes(store, steps), await outcomes(memory, steps));
          assertSame(await snapshot(store), await snapshot(memory));
        }
      } finally {
        await store.close();
      }
    }),
    { numRuns: runs, seed: 20260101 },
  );
}
