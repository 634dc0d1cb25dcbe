import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { sessionIdFrom } from "../session-id.ts";
import { readRefreshToken, successorOf, writeRefreshToken } from "./refresh-token.ts";
import { createKeyring } from "./secrets.ts";

const keyring = createKeyring([
  "a secret of the tests that is long enough",
  "another one that is long enough too",
]);
const other = createKeyring(["a foreign secret that nobody here has listed"]);
const plain = { sessionId: sessionIdFrom(randomBytes(16)), generation: 7, secret: randomBytes(32) };
const token = writeRefreshToken(keyring.signing, plain);
const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

test("a token is 101 characters and reads as it was written, under any listed secret", () => {
  expect(token).toMatch(/^wsr1_[A-Za-z0-9_-]{96}$/);
  for (const keys of keyring.all) {
    const read = readRefreshToken(keyring, writeRefreshToken(keys, plain));
    expect(read).toMatchObject({ sessionId: plain.sessionId, generation: 7 });
    expect(Buffer.from(read?.secret ?? []).equals(plain.secret)).toBe(true);
  }
});

test("every bit of the token counts: none can be flipped", () => {
  const bytes = Buffer.from(token.slice(5), "base64url");
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(readRefreshToken(keyring, `wsr1_${flipped.toString("base64url")}`), `bit ${bit}`).toBeNull();
  }
});

test("every character counts: a token has one spelling", () => {
  for (let at = 0; at < token.length; at += 1) {
    const now = BASE64URL.indexOf(token[at] ?? "");
    const changed = token.slice(0, at) + BASE64URL[(now + 1) % 64] + token.slice(at + 1);
    expect(readRefreshToken(keyring, changed), `character ${at}`).toBeNull();
  }
});

describe("what is no token of ours", () => {
  const forgedRest = `wsr1_${Buffer.concat([
    Buffer.from(token.slice(5), "base64url").subarray(0, 24),
    randomBytes(48),
  ]).toString("base64url")}`;
  const withGeneration = (generation: number) => writeRefreshToken(keyring.signing, { ...plain, generation });
  test.each([
    ["empty", ""],
    ["the prefix alone", "wsr1_"],
    ["padding", `${token}=`],
    ["padding in its length", `${token.slice(0, -1)}=`],
    ["the standard alphabet", `${token.slice(0, 20)}+${token.slice(21)}`],
    ["truncated", token.slice(0, -1)],
    ["one character longer", `${token}A`],
    [
      "one byte longer",
      `wsr1_${Buffer.concat([Buffer.from(token.slice(5), "base64url"), randomBytes(3)]).toString("base64url")}`,
    ],
    ["another version", token.replace("wsr1_", "wsr2_")],
    ["another case", token.toUpperCase()],
    ["a space before", ` ${token}`],
    ["a newline behind", `${token}\n`],
    ["a newline inside", `${token.slice(0, -1)}\n`],
    ["NUL", `${token.slice(0, -1)}\0`],
    ["a lone surrogate", `${token.slice(0, -1)}\ud800`],
    ["twice", token + token],
    ["an unknown key", writeRefreshToken(other.signing, plain)],
    ["a real session id with a random rest", forgedRest],
    ["generation 0", withGeneration(0)],
    ["generation 2^32 - 1", withGeneration(0xffff_ffff)],
    ["an access token in its place", "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.e30.AAAA"],
    ["10 MB", "A".repeat(10_000_000)],
  ])("%s", (_, text) => {
    expect(readRefreshToken(keyring, text)).toBeNull();
  });
});

test("a successor is the same each time, and another one for another salt, secret, session, generation or key", () => {
  const salt = randomBytes(16);
  const next = successorOf(keyring.signing, plain, salt);
  expect(successorOf(keyring.signing, plain, salt)).toEqual(next);
  expect(next.generation).toBe(8);
  const [, second = keyring.signing] = keyring.all;
  const others = [
    successorOf(keyring.signing, plain, randomBytes(16)),
    successorOf(keyring.signing, { ...plain, secret: randomBytes(32) }, salt),
    successorOf(keyring.signing, { ...plain, generation: 8 }, salt),
    successorOf(keyring.signing, { ...plain, sessionId: sessionIdFrom(randomBytes(16)) }, salt),
    successorOf(second, plain, salt),
  ];
  const secrets = [next, ...others].map(({ secret }) => Buffer.from(secret).toString("hex"));
  expect(new Set(secrets).size).toBe(6);
});

describe("secrets that cannot be used", () => {
  test.each([
    ["none", []],
    ["one of 31 bytes", ["x".repeat(31)]],
    ["an empty one among good ones", ["x".repeat(32), ""]],
    ["the same one twice", ["x".repeat(32), "x".repeat(32)]],
  ])("%s", (_, secrets) => {
    expect(() => createKeyring(secrets)).toThrow(RangeError);
  });

  test("bytes count, not characters", () => {
    expect(createKeyring(["é".repeat(16)]).all).toHaveLength(1);
  });
});
