import { randomBytes } from "node:crypto";
import { keypairFromSeed } from "../wallets/stellar/keypair.ts";
import { encodeStrkey } from "../wallets/stellar/strkey.ts";
import { decodeEnvelope, encodeEnvelope, hashOf, sign } from "../wallets/stellar/transaction.ts";

const SEED_BYTES = 32;

/** A Stellar key that signs challenges as a stock client does. For tests and demonstrations. */
export interface WalletKeypair {
  /** G…. */
  readonly account: string;
  /** S…. */
  readonly seed: string;
  /** Adds this key's signature to a challenge and leaves all else as it is. Does not check what it signs. */
  sign(challenge: { readonly transaction: string; readonly network_passphrase: string }): string;
}

/** A new random key, or the one of a given 32-byte seed. */
export function createWalletKeypair(rawSeed: Uint8Array = randomBytes(SEED_BYTES)): WalletKeypair {
  const seed = encodeStrkey("S", rawSeed);
  const keypair = keypairFromSeed(seed);
  return {
    account: keypair.account,
    seed,
    sign({ transaction: envelope, network_passphrase }) {
      const { transaction, signatures } = decodeEnvelope(Buffer.from(envelope, "base64"));
      return encodeEnvelope(transaction, [
        ...signatures,
        sign(hashOf(transaction, network_passphrase), keypair),
      ]);
    },
  };
}
