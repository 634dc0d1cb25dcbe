import assert from "node:assert/strict";
import type { SessionRecord, SessionStore } from "../store.ts";
import { GENERATION_MAX } from "../store.ts";
import {
  afterSwap,
  assertRotated,
  assertRow,
  assertUnmatched,
  atOnce,
  bytes,
  type ConformanceCase,
  create,
  DAY,
  REVOCATION,
  revoked,
  START,
  sessionId,
  swapOf,
} from "./store-conformance-fixtures.ts";

export const rotationCases: Record<string, ConformanceCase> = {
  "rotate: writes the next generation and answers with the row, all along a chain": async (store) => {
    const last = await rotateInChain(await create(store, "a"), 20, () => store);
    assert.equal(last.generation, 21);
  },

  "rotate: unknown where there is no row": async (store) => {
    const session = await create(store, "a");
    for (const generation of [0, 1, GENERATION_MAX]) {
      const swap = swapOf(session, "a", { id: sessionId("nobody"), generation });
      assert.deepEqual(await store.rotate(swap), { outcome: "unknown" });
    }
    await assertRow(store, session);
  },

  "rotate: another generation, secret hash or transport does not match": async (store) => {
    const session = await create(store, "a", { generation: 5 });
    const mismatches = [
      { generation: 4 },
      { generation: 6 },
      { generation: 0 },
      { generation: GENERATION_MAX },
      { secretHash: bytes("another", 32) },
      { secretHash: session.secretHash.subarray(0, 31) },
      { secretHash: session.salt },
      { transport: "cookie" as const },
    ];
    for (const mismatch of mismatches)
      assertUnmatched(await store.rotate(swapOf(session, "a", mismatch)), session);
    await assertRow(store, session);
  },

  "rotate: the second use of a generation does not match, and gets the row as it stands": async (store) => {
    const session = await create(store, "a");
    const swap = swapOf(session, "first");
    await store.rotate(swap);
    const row = afterSwap(session, swap);
    assertUnmatched(await store.rotate(swapOf(session, "second")), row);
    assertUnmatched(await store.rotate(swap), row);
    await assertRow(store, row);
  },

  "rotate: 32 at once with the very same values still move the row by one": async (store) => {
    // A derived successor hides a missing compare-and-swap from the answers, not from the row.
    const session = await create(store, "a");
    const swap = swapOf(session, "the same");
    const outcomes = await atOnce(32, () => store.rotate(swap));
    assert.equal(outcomes.filter(({ outcome }) => outcome === "rotated").length, 1);
    await assertRow(store, afterSwap(session, swap));
  },

  "rotate: live up to the last millisecond of the idle limit, and before its end": async (store) => {
    const end = START + DAY;
    for (const limits of [{ idleExpiresAt: end }, { idleExpiresAt: end + DAY, expiresAt: end }]) {
      const session = await create(store, Object.keys(limits).join(), limits);
      assertUnmatched(await store.rotate(swapOf(session, "late", { now: end })), session);
      assertUnmatched(await store.rotate(swapOf(session, "later", { now: end + 1 })), session);
      const swap = swapOf(session, "in time", { now: end - 1 });
      assertRotated(await store.rotate(swap), afterSwap(session, swap));
    }
  },

  "rotate: the idle limit never reaches past the end": async (store) => {
    const end = START + 8 * DAY;
    const session = await create(store, "a", { expiresAt: end });
    const below = swapOf(session, "below", { idleExpiresAt: end - 1 });
    const row = { ...afterSwap(session, below), idleExpiresAt: end - 1 };
    assertRotated(await store.rotate(below), row);
    await assertRow(store, row);
    const beyond = swapOf(row, "beyond", { idleExpiresAt: end + DAY });
    const capped = { ...afterSwap(row, beyond), idleExpiresAt: end };
    assertRotated(await store.rotate(beyond), capped);
    await assertRow(store, capped);
  },

  "rotate: the retry key of the last rotation is kept, replaced and cleared": async (store) => {
    let session = await create(store, "a");
    for (const retryKeyHash of [bytes("one", 32), bytes("two", 32), null, bytes("three", 32)]) {
      const swap = swapOf(session, `${session.generation}`, { retryKeyHash });
      session = afterSwap(session, swap);
      assertRotated(await store.rotate(swap), session);
      await assertRow(store, session);
    }
  },

  "rotate: a clock that was set back is written as it came": async (store) => {
    const session = await create(store, "a");
    const swap = swapOf(session, "a", { now: START - DAY });
    assertRotated(await store.rotate(swap), afterSwap(session, swap));
    await assertRow(store, afterSwap(session, swap));
  },

  "rotate: another binding than the row's does not match, and of an unbound row any": async (store) => {
    for (const binding of [null, "key", `key "A", \\ [null,`, "k".repeat(128)]) {
      const session = await create(store, `${binding}`, { binding, actorId: "null,[,key" });
      const others = [null, "key", "KEY", "key ", "", "null", `key "A"`, "k".repeat(127)];
      for (const other of others.filter((other) => other !== binding)) {
        for (const nextBinding of [other, binding, "next"]) {
          const swap = swapOf(session, "a", { binding: other, nextBinding });
          assertUnmatched(await store.rotate(swap), session);
        }
      }
      await assertRow(store, session);
      await rotateInChain(session, 2, () => store);
    }
  },

  "rotate: binds, binds anew and unbinds, and the row stays as it is otherwise": async (store) => {
    const client = { browser: null, os: `"[null,"`, device: "\u{1f511}", ip: "" };
    let row = await create(store, "a", { actorId: "Zo\u00eb [null,", client });
    for (const nextBinding of ["first", "second", `"\\,[`, "", "k".repeat(128), null, "last"]) {
      const swap = swapOf(row, `to ${nextBinding}`, { nextBinding });
      const before = row;
      row = afterSwap(row, swap);
      assertRotated(await store.rotate(swap), row);
      await assertRow(store, row);
      assertUnmatched(await store.rotate(swap), row);
      if (before.binding !== null) {
        assertUnmatched(await store.rotate(swapOf(row, "old", { binding: before.binding })), row);
      }
      row = await rotateInChain(row, 1, () => store);
    }
    const ended = revoked(row);
    assert.equal(await store.revokeSession(row.id, REVOCATION), true);
    assertUnmatched(await store.rotate(swapOf(row, "ended", { nextBinding: "other" })), ended);
    await assertRow(store, ended);
  },

  "rotate: touches the one session alone": async (store) => {
    const others = [await create(store, "b"), await create(store, "c")];
    const session = await create(store, "a", { secretHash: bytes("shared", 32) });
    await store.rotate(swapOf(session, "a"));
    for (const other of others) await assertRow(store, other);
  },

  "rotate: reaches the last generation and goes no further": async (store) => {
    const session = await create(store, "a", { generation: GENERATION_MAX - 1 });
    const swap = swapOf(session, "last");
    const last = afterSwap(session, swap);
    assertRotated(await store.rotate(swap), last);
    assert.equal(last.generation, GENERATION_MAX);
    assertUnmatched(await store.rotate(swapOf(last, "beyond")), last);
    await assertRow(store, last);
  },
};

/** Rotates again and again, each time on the store that `storeFor` gives, and reads the row there. Returns the last one. */
export async function rotateInChain(
  session: SessionRecord,
  rotations: number,
  storeFor: (generation: number) => SessionStore | Promise<SessionStore>,
): Promise<SessionRecord> {
  let row = session;
  while (row.generation < session.generation + rotations) {
    const store = await storeFor(row.generation);
    await assertRow(store, row);
    const swap = swapOf(row, `${row.generation}`);
    row = afterSwap(row, swap);
    assertRotated(await store.rotate(swap), row);
    await assertRow(store, row);
  }
  return row;
}
