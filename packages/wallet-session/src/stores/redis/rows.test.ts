import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import type { SessionRecord } from "../../store.ts";
import {
  assertSame,
  bytes,
  challenge,
  create,
  newSession,
  proofFailure,
  START,
  sessionId,
  signingKey,
  swapOf,
} from "../../testing/store-conformance-fixtures.ts";
import { openRedisStore } from "../redis.ts";
import { createKeys } from "./keys.ts";
import {
  decodeEntry,
  decodeEvent,
  decodeSession,
  decodeSigningKey,
  encodeProofFailure,
  encodeSession,
  encodeTime,
} from "./rows.ts";
import { temporaryKeys } from "./server.fixture.ts";

const keys = temporaryKeys();
const UNREADABLE = "A value in the database is not as this store writes it.";

/** What a row can say that one of the store never does, by where it says it. */
const ALTERATIONS: Record<string, (row: Buffer) => Buffer> = {
  "nothing at all": () => Buffer.alloc(0),
  "another layout": (row) => altered(row, 0, 2),
  "no transport": (row) => altered(row, 1, 7),
  "neither a retry key nor none": (row) => altered(row, 54, 2),
  "no reason": (row) => altered(row, 111, 9),
  "no time of rotation": (row) => altered(row, 87, 0x7f, 0xf8),
  "no end": (row) => altered(row, 120, 0xff),
  "an actor beyond the row": (row) => altered(row, 128, 1),
  "half of it": (row) => row.subarray(0, 100),
  "no rest": (row) => row.subarray(0, -1),
  "another rest": (row) => Buffer.concat([row.subarray(0, row.lastIndexOf("[")), Buffer.from("[1,2,3,4,5]")]),
  "somebody else's text": () => Buffer.from("hello ".repeat(40)),
};

function altered(row: Buffer, at: number, ...values: number[]): Buffer {
  const copy = Buffer.from(row);
  copy.set(values, at);
  return copy;
}

test("a row that the store has not written is a fault, never an unknown session", async () => {
  const prefix = keys.newPrefix();
  const store = openRedisStore({ url: keys.url, prefix, onWarning: () => {} });
  onTestFinished(() => store.close());
  for (const [name, alter] of Object.entries(ALTERATIONS)) {
    const session = await create(store, name);
    const key = createKeys(prefix).session(Buffer.from(session.id, "base64url"));
    await keys.command("SET", key, alter(encodeSession(session)));
    await expect(store.findSession(session.id), name).rejects.toThrow(UNREADABLE);
    await expect(store.rotate(swapOf(session, "a", { generation: 7 })), name).rejects.toThrow(UNREADABLE);
  }
});

test("keys that hold something else are faults", async () => {
  const prefix = keys.newPrefix();
  const store = openRedisStore({ url: keys.url, prefix, onWarning: () => {} });
  onTestFinished(() => store.close());
  const { signingKeys, log, ends } = createKeys(prefix);
  const session = await create(store, "a");
  await keys.command("RPUSH", signingKeys, "not a key");
  await expect(store.signingKeys()).rejects.toThrow(UNREADABLE);
  await expect(store.addSigningKey(signingKey("a"), null)).rejects.toThrow();
  await keys.command("ZADD", log, "1", "not an entry");
  await expect(store.revocationsAfter(0, 10)).rejects.toThrow(UNREADABLE);
  await keys.command("SET", ends, "text");
  await expect(store.createSession(newSession("b"), challenge("b"))).rejects.toThrow("WRONGTYPE");
  expect((await store.findSession(session.id))?.id).toBe(session.id);
});

test("what comes out of a row is what went in", () => {
  const words = fc.oneof(fc.string(), fc.constantFrom("", "Zoë 漢字 \u{1f511}", '"\\', "\u0000"));
  const time = fc.integer({ min: -8.64e15, max: 8.64e15 });
  const text = fc.option(words);
  const session = fc.record({
    actorId: words,
    transport: fc.constantFrom("body" as const, "cookie" as const),
    generation: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    retryKeyHash: fc.option(fc.constant(bytes("retry", 32))),
    createdAt: time,
    rotatedAt: time,
    idleExpiresAt: time,
    expiresAt: time,
    revokedReason: fc.constantFrom("logout", "ended", "reuse", "replaced", "admin", null),
    binding: text,
    client: fc.record({ browser: text, os: text, device: text, ip: text }),
  });
  fc.assert(
    fc.property(session, (values) => {
      const overrides = { ...values, revokedAt: values.revokedReason === null ? null : START };
      const row = newSession("a", overrides as Partial<SessionRecord>);
      assertSame(decodeSession(row.id, encodeSession(row)), row);
    }),
    { numRuns: 30 },
  );
});

test("what a row has no room for is refused", () => {
  for (const overrides of [
    { secretHash: bytes("short", 31) },
    { salt: bytes("long", 17) },
    { retryKeyHash: bytes("short", 16) },
    { generation: 2 ** 32 },
    { actorId: "\ud800" },
  ]) {
    expect(() => encodeSession(newSession("a", overrides))).toThrow(RangeError);
  }
});

test("signing keys and entries of another shape are refused", () => {
  const key = { kid: "a", publicKey: "", sealed: "", createdAt: 1, signsFrom: 1 };
  for (const json of [
    "",
    "null",
    "1",
    "{}",
    ...Object.keys(key).map((name) => JSON.stringify({ ...key, [name]: {} })),
  ]) {
    expect(() => decodeSigningKey(Buffer.from(json)), json).toThrow(UNREADABLE);
  }
  expect(() => decodeEntry(Buffer.alloc(32))).toThrow(UNREADABLE);
  expect(() => decodeEntry(Buffer.alloc(33))).toThrow(UNREADABLE);
  // The log has no proof failures, and no row has ended by one.
  const failure = encodeProofFailure(proofFailure(newSession("a", { actorId: "alice" })));
  const event = Buffer.concat([encodeTime(7), failure]);
  expect(decodeEvent(event)).toMatchObject({ position: 7, actorId: "alice", reason: "proof_failed" });
  expect(() => decodeEntry(event)).toThrow(UNREADABLE);
  const row = altered(encodeSession(newSession("a")), 111, 6);
  expect(() => decodeSession(sessionId("a"), row)).toThrow(UNREADABLE);
});
