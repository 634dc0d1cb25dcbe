import assert from "node:assert/strict";
import type { SessionId } from "../session-id.ts";
import type { ClientMetadata, SessionRecord } from "../store.ts";
import { GENERATION_MAX } from "../store.ts";
import {
  assertRow,
  assertSame,
  atOnce,
  bytes,
  type ConformanceCase,
  challenge,
  create,
  createMany,
  createRevoked,
  DAY,
  MINUTE,
  newSession,
  START,
  sessionId,
  swapOf,
} from "./store-conformance-fixtures.ts";

const NOBODY: ClientMetadata = { browser: null, os: null, device: null, ip: null };

/** Values that a careless store alters. */
const AWKWARD_SESSIONS: Record<string, Partial<SessionRecord>> = {
  "all bytes from 0": { secretHash: Uint8Array.from({ length: 32 }, (_, index) => index) },
  "all bytes 255": { secretHash: new Uint8Array(32).fill(255), salt: new Uint8Array(16).fill(255) },
  "all bytes zero": { secretHash: new Uint8Array(32), salt: new Uint8Array(16) },
  "a retry key": { retryKeyHash: bytes("retry key", 32) },
  "cookie transport": { transport: "cookie" },
  "a binding": { binding: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" },
  "generation 128": { generation: 128 },
  "generation 2^31": { generation: 2 ** 31 },
  "the last generation": { generation: GENERATION_MAX },
  "an actor in Unicode": { actorId: "Zoë 漢字 \u{1f511} e\u0301" },
  "an actor of SQL": { actorId: `'; DROP TABLE sessions; --"\\%_` },
  "an actor of wildcards": { actorId: "*?[a-z]{x}:$1\r\n\t" },
  "an empty actor": { actorId: "" },
  "no client": { client: NOBODY },
  "a client in quotes": {
    client: { browser: `"O'Brien" \\ \u{1f98a}`, os: "null", device: "", ip: "2001:db8::/64" },
  },
};

export const sessionCases: Record<string, ConformanceCase> = {
  "createSession: a challenge makes one session; the second time nothing is written": async (store) => {
    const first = newSession("first");
    assert.deepEqual(await store.createSession(first, challenge("one")), { outcome: "created" });
    const second = newSession("second");
    assert.deepEqual(await store.createSession(second, challenge("one")), { outcome: "challenge_used" });
    assert.equal(await store.findSession(second.id), null);
    await assertRow(store, first);
  },

  "createSession: an id that is taken rejects, changes nothing and leaves the challenge unused": async (
    store,
  ) => {
    const session = await create(store, "a");
    const double = { ...session, actorId: "someone else" };
    await assert.rejects(store.createSession(double, challenge("two")));
    await assertRow(store, session);
    assert.deepEqual(await store.createSession(newSession("b"), challenge("two")), { outcome: "created" });
  },

  "createSession: every value comes back exactly": async (store) => {
    for (const [label, overrides] of Object.entries(AWKWARD_SESSIONS)) {
      const session = await create(store, label, overrides);
      assertSame(await store.findSession(session.id), session, label);
      assertSame(await store.listSessions(session.actorId, START, 1), [session], label);
    }
  },

  "createSession: challenge ids are compared exactly": async (store) => {
    for (const [index, id] of ["abc", "ABC", "abc ", "'abc'", "ab", "\u{1f511}", "%"].entries()) {
      const outcome = await store.createSession(newSession(`${index}`), { id, expiresAt: START });
      assert.deepEqual(outcome, { outcome: "created" }, id);
    }
  },

  "unknown and malformed ids are unknown, never faults": async (store) => {
    const session = await create(store, "a");
    const ids = [
      sessionId("nobody"),
      "",
      "x",
      `${session.id}=`,
      `${session.id}A`,
      session.id.slice(0, 21),
      // The same 16 bytes with a spare bit set: another string, so another id.
      withSpareBit(session.id),
      `${session.id.slice(0, 21)}\u{1f511}`,
      "' OR 1=1 --",
    ];
    // The types rule them out; a program without types gives them all the same.
    for (const id of ids as SessionId[]) {
      assert.equal(await store.findSession(id), null, id);
      assert.deepEqual(await store.rotate(swapOf(session, "x", { id })), { outcome: "unknown" }, id);
      assert.equal(await store.revokeSession(id, { reason: "admin", revokedAt: START }), false, id);
    }
    await assertRow(store, session);
    assert.deepEqual((await store.revocationsAfter(0, 10)).entries, []);
  },

  "buffers that were passed in or given out stay apart from the store's": async (store) => {
    const session = newSession("a", { retryKeyHash: bytes("retry", 32) });
    const passed = {
      ...session,
      secretHash: Buffer.from(session.secretHash),
      salt: Buffer.from(session.salt),
    };
    const creating = store.createSession(passed, challenge("a"));
    passed.secretHash.fill(0);
    passed.salt.fill(0);
    await creating;
    await assertRow(store, session);

    const given = await store.findSession(session.id);
    given?.secretHash.fill(0);
    given?.retryKeyHash?.fill(0);
    await assertRow(store, session);

    const swap = swapOf(session, "b", { retryKeyHash: bytes("retry 2", 32) });
    const mine = {
      ...swap,
      nextSecretHash: Buffer.from(swap.nextSecretHash),
      nextSalt: Buffer.from(swap.nextSalt),
    };
    const rotating = store.rotate(mine);
    mine.nextSecretHash.fill(0);
    mine.nextSalt.fill(0);
    const outcome = await rotating;
    assert.equal(outcome.outcome, "rotated");
    if (outcome.outcome === "rotated") outcome.session.salt.fill(0);
    const row = await store.findSession(session.id);
    assertSame([row?.secretHash, row?.salt], [swap.nextSecretHash, swap.nextSalt]);
  },

  "listSessions: live ones of this actor alone, newest first": async (store) => {
    const actorId = "alice";
    const created = await atOnce(5, (age) =>
      create(store, `${age}`, { actorId, createdAt: START - age * MINUTE }),
    );
    await create(store, "someone else's", { actorId: "alice2" });
    await create(store, "idle", { actorId, idleExpiresAt: START });
    await create(store, "ended", { actorId, expiresAt: START });
    await createRevoked(store, "revoked", { reason: "logout", revokedAt: START }, { actorId });
    assertSame(await store.listSessions(actorId, START, 100), created);
    assertSame(await store.listSessions("nobody", START, 100), []);
  },

  "listSessions: at most `limit`, the newest of them": async (store) => {
    const created = await atOnce(5, (age) =>
      create(store, `${age}`, { actorId: "alice", createdAt: START - age * MINUTE }),
    );
    assertSame(await store.listSessions("alice", START, 2), created.slice(0, 2));
  },

  "listSessions: live up to the last millisecond": async (store) => {
    const session = await create(store, "a", { actorId: "alice", idleExpiresAt: START + DAY });
    assertSame(await store.listSessions("alice", START + DAY - 1, 9), [session]);
    assertSame(await store.listSessions("alice", START + DAY, 9), []);
  },

  "steps asked for at the same moment keep their answers apart": async (store) => {
    const sessions = await createMany(store, 100);
    const swaps = sessions.map((session, index) => swapOf(session, `${index}`));
    const outcomes = await Promise.all(swaps.map((swap) => store.rotate(swap)));
    for (const [index, outcome] of outcomes.entries()) {
      assert.equal(outcome.outcome, "rotated");
      if (outcome.outcome !== "rotated") continue;
      assert.equal(outcome.session.id, sessions[index]?.id);
      assertSame(outcome.session.secretHash, swaps[index]?.nextSecretHash);
    }
  },
};

function withSpareBit(id: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(id.slice(-1));
  return id.slice(0, -1) + alphabet.charAt(last + 1);
}
