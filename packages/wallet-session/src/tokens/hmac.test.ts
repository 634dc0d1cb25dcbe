import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createHmacKey, hmac, sha256 } from "./hmac.ts";

test("HMAC-SHA-256 is what node:crypto computes, for any key of up to one block and any message", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ maxLength: 300 }), (key, message) => {
      expect(hmac(createHmacKey(key), message)).toEqual(createHmac("sha256", key).update(message).digest());
      expect(sha256(message)).toEqual(createHash("sha256").update(message).digest());
    }),
  );
});

test("RFC 4231, test case 2", () => {
  const mac = hmac(createHmacKey(Buffer.from("Jefe")), Buffer.from("what do ya want for nothing?"));
  expect(mac.toString("hex")).toBe("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
});

test("a key of more than one block is refused", () => {
  expect(() => createHmacKey(new Uint8Array(65))).toThrow(RangeError);
});
