import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { HmacKey, sha256 } from "./hmac.ts";

test("HMAC-SHA-256 is what node:crypto computes, for any key of up to one block and any messages in a row", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      fc.array(fc.uint8Array({ maxLength: 300 })),
      (key, messages) => {
        const ours = new HmacKey(key);
        for (const message of messages) {
          expect(ours.mac(message)).toEqual(createHmac("sha256", key).update(message).digest());
          expect(ours.mac(message, "é, text")).toEqual(
            createHmac("sha256", key).update(message).update("é, text").digest(),
          );
          expect(sha256(message)).toEqual(createHash("sha256").update(message).digest());
        }
      },
    ),
  );
});

test("RFC 4231, test case 2", () => {
  const mac = new HmacKey(Buffer.from("Jefe")).mac(Buffer.from("what do ya want for nothing?"));
  expect(mac.toString("hex")).toBe("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
});

test("a key of more than one block is refused", () => {
  expect(() => new HmacKey(new Uint8Array(65))).toThrow(RangeError);
});

test("a digest that was handed out stays as it is", () => {
  const key = new HmacKey(Buffer.from("key"));
  const first = key.mac(Buffer.from("first"));
  const copy = Buffer.from(first);
  key.mac(Buffer.from("other"));
  expect(first).toEqual(copy);
});
