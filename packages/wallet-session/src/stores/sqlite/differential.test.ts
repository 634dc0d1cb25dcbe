import fc from "fast-check";
import { expect, test } from "vitest";
import { useTemporaryDirectory } from "../../../test/temporary-directory.ts";
import type { SessionStore } from "../../store.ts";
import {
  bytes,
  challenge,
  newSession,
  readLog,
  START,
  sessionId,
  signingKey,
} from "../../testing/store-conformance-fixtures.ts";
import { createMemoryStore } from "../memory.ts";
import { openSqliteStore } from "../sqlite.ts";

const newPath = useTemporaryDirectory();

/** Few values of each kind, so that steps meet. Times lie around the limits of the sessions. */
const label = fc.constantFrom("a", "b", "c", "d");
const actorId = fc.constantFrom("alice", "bob");
const time = fc.integer({ min: 0, max: 12 }).map((tick) => START + tick);
const generation = fc.integer({ min: 1, max: 4 });
const hashOf = (of: number) => bytes(`hash ${of}`, 32);
const kid = fc.constantFrom("k1", "k2", "k3");

type Write = (store: SessionStore) => Promise<unknown>;

const write: fc.Arbitrary<Write> = fc.oneof(
  fc
    .record({ label, actorId, used: label, created: time, idleExpiresAt: time, expiresAt: time })
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
    .record({ label, generation, hash: generation, now: time, idleExpiresAt: time, retry: fc.boolean() })
    .map(({ label, generation, hash, now, idleExpiresAt, retry }): Write => {
      const swap = {
        id: sessionId(label),
        transport: "body",
        generation,
        // Mostly the hash that belongs to the generation.
        secretHash: hashOf(hash === 1 ? 1 : generation),
        nextSecretHash: hashOf(generation + 1),
        nextSalt: bytes(`salt ${now}`, 16),
        retryKeyHash: retry ? bytes("retry", 32) : null,
        now,
        idleExpiresAt,
      } as const;
      return (store) => store.rotate(swap);
    }),
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
  fc.record({ kid, newest: fc.option(kid) }).map(
    ({ kid, newest }): Write =>
      (store) =>
        store.addSigningKey(signingKey(kid), newest),
  ),
  fc.record({ now: time, sessionsBefore: time, revocationsBefore: time }).map(
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
    log: (await readLog(store)).sort(),
    keys: await store.signingKeys(),
  };
}

/** Outcomes of steps asked for at the same moment; a rejection counts as one, whatever its message. */
async function outcomes(store: SessionStore, steps: readonly Write[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(steps.map((step) => step(store)));
  return settled.map((result) => (result.status === "fulfilled" ? result.value : "rejected"));
}

test("any sequence of groups of steps has the outcomes and leaves the state that memory has", async () => {
  const groups = fc.array(fc.array(write, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(groups, async (groups) => {
      const memory = createMemoryStore();
      const sqlite = openSqliteStore({ path: newPath("sessions.db") });
      try {
        for (const steps of groups) {
          expect(await outcomes(sqlite, steps)).toEqual(await outcomes(memory, steps));
          expect(await snapshot(sqlite)).toEqual(await snapshot(memory));
        }
      } finally {
        await sqlite.close();
      }
    }),
    { numRuns: 40, seed: 20260101 },
  );
});
