import type { KeyObject } from "node:crypto";
import { privateKeyFromSeed, publicKeyOf } from "./ed25519.ts";
import { decodeStrkey, encodeStrkey } from "./strkey.ts";

const SEED_BYTES = 32;

/** A key that signs, and the account that it is the master key of. */
export interface Keypair {
  /** G…. */
  readonly account: string;
  readonly privateKey: KeyObject;
}

/** Whether a text is an `S…` seed. */
export function isSeed(text: string): boolean {
  return decodeStrkey("S", text) !== null;
}

/** @throws TypeError for a text that is no `S…` seed; the message does not repeat it */
export function keypairFromSeed(seed: string): Keypair {
  const bytes = decodeStrkey("S", seed);
  if (bytes === null) throw new TypeError("signingSeed is not an S… seed");
  const privateKey = privateKeyFromSeed(bytes);
  return { account: encodeStrkey("G", publicKeyOf(privateKey)), privateKey };
}

/** A new `S…` seed. */
export function randomSeed(random: (bytes: number) => Uint8Array): string {
  return encodeStrkey("S", random(SEED_BYTES));
}
