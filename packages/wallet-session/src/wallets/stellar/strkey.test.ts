import { StrKey } from "@stellar/stellar-sdk/base";
import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeStrkey, encodeStrkey, isAddress, type StrkeyKind } from "./strkey.ts";

const OF_THE_SDK: Record<StrkeyKind, { bytes: number; encode: (payload: Uint8Array) => string }> = {
  G: { bytes: 32, encode: (payload) => StrKey.encodeEd25519PublicKey(payload) },
  M: { bytes: 40, encode: (payload) => StrKey.encodeMed25519PublicKey(payload) },
  S: { bytes: 32, encode: (payload) => StrKey.encodeEd25519SecretSeed(payload) },
};
const KINDS = ["G", "M", "S"] as const;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

it.each(KINDS)("writes %s… as Stellar's SDK does, and reads it back", (kind) => {
  const { bytes, encode } = OF_THE_SDK[kind];
  fc.assert(
    fc.property(fc.uint8Array({ minLength: bytes, maxLength: bytes }), (payload) => {
      const text = encodeStrkey(kind, payload);
      expect(text).toBe(encode(payload));
      expect(decodeStrkey(kind, text)).toEqual(payload);
      for (const other of KINDS) if (other !== kind) expect(decodeStrkey(other, text)).toBeNull();
    }),
  );
});

it.each(KINDS)("reads no other spelling of %s…", (kind) => {
  const payload = Uint8Array.from({ length: OF_THE_SDK[kind].bytes }, (_, index) => index * 7);
  const text = encodeStrkey(kind, payload);
  const altered = [...text].flatMap((letter, index) =>
    [...LETTERS]
      .filter((other) => other !== letter)
      .map((other) => text.slice(0, index) + other + text.slice(index + 1)),
  );
  const others = [
    ...altered,
    text.toLowerCase(),
    `${text}=`,
    ` ${text}`,
    text.slice(0, -1),
    `${text}A`,
    "",
    "0".repeat(56),
  ];
  expect(others.filter((other) => decodeStrkey(kind, other) !== null)).toEqual([]);
});

it("takes G… and M… for addresses, and nothing else", () => {
  const key = new Uint8Array(32).fill(7);
  const muxed = new Uint8Array(40).fill(7);
  expect([encodeStrkey("G", key), encodeStrkey("M", muxed)].every(isAddress)).toBe(true);
  expect([encodeStrkey("S", key), StrKey.encodeContract(key), "G", ""].some(isAddress)).toBe(false);
});

it("refuses to write a payload of another length", () => {
  expect(() => encodeStrkey("G", new Uint8Array(31))).toThrow(RangeError);
});
