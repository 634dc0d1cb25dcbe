import { expect, test } from "vitest";
import type { SessionId } from "../../session-id.ts";
import { bytes, newSession, sessionId, signingKey } from "../../testing/store-conformance-fixtures.ts";
import { encodeSessionId } from "../session-id.ts";
import { decodeSigningKey, type Row, SESSION_COLUMNS } from "../sql/rows.ts";
import { decodeSession, encodeGeneration, encodeSession } from "./rows.ts";

const session = newSession("a", { retryKeyHash: bytes("retry", 32), binding: "thumbprint" });

function sessionRow(changes: Row = {}): Row {
  const values = encodeSession(session);
  const columns = SESSION_COLUMNS.split(", ");
  const row = columns.map((column, index): [string, unknown] => [column, values[index]]);
  return { ...Object.fromEntries(row), ...changes };
}

test("a session comes back from its row", () => {
  expect(decodeSession(sessionRow())).toEqual(session);
});

const UNREADABLE: readonly Row[] = [
  { id: null },
  { actor_id: 7 },
  { transport: "pigeon" },
  { generation: "secret" },
  { secret_hash: "secret" },
  { salt: null },
  { retry_key_hash: 7 },
  { created_at: "today" },
  { expires_at: null },
  { revoked_at: 1n },
  { revoked_reason: "boredom" },
  { binding: 7 },
  { client: null },
  { client: "null" },
  { client: '{"ip":"192.0.2.0' },
];

test.each(UNREADABLE)("%o is not read, and the error tells nothing of it", (changes) => {
  const expected = new Error("A value in the database is not as this store writes it.");
  expect(() => decodeSession(sessionRow(changes))).toThrow(expected);
});

test("what a client's description lacks, or has of another kind, is null", () => {
  const { client } = decodeSession(sessionRow({ client: '{"browser":7,"os":"Linux"}' }));
  expect(client).toEqual({ browser: null, os: "Linux", device: null, ip: null });
  expect(decodeSession(sessionRow({ client: "{}" })).client.os).toBeNull();
});

test("a signing key is not read from what is none", () => {
  const { kid, publicKey, sealed, createdAt, signsFrom } = signingKey("a");
  const row = { kid, public_key: publicKey, sealed, created_at: createdAt, signs_from: signsFrom };
  expect(decodeSigningKey(row)).toEqual(signingKey("a"));
  expect(() => decodeSigningKey({ ...row, sealed: "text" })).toThrow("not as this store writes it");
});

test("a session id is 22 characters of base64url with no spare bits, or none", () => {
  expect(encodeSessionId(sessionId("a"))).toHaveLength(16);
  for (const id of ["", "x", `${sessionId("a")}A`, `${sessionId("a").slice(0, 21)}B`, `${"A".repeat(21)}=`]) {
    expect(encodeSessionId(id as SessionId)).toBeNull();
  }
  expect(() => encodeSession({ ...session, id: "x" as SessionId })).toThrow(RangeError);
});

test("every generation takes 4 bytes", () => {
  for (const generation of [1, 255, 65_536, 2 ** 32 - 1]) {
    expect(encodeGeneration(generation)).toHaveLength(4);
  }
  expect(() => encodeGeneration(2 ** 32)).toThrow(RangeError);
});
