import type { RandomBytes } from "wallet-session";

const ID_BYTES = 16;

/** A new id: 22 characters of base64url. */
export function newId(random: RandomBytes): string {
  return Buffer.from(random(ID_BYTES)).toString("base64url");
}
