import { randomBytes } from "node:crypto";
import { keypairFromSeed } from "../wallets/stellar/ed25519.ts";
import { encodeStrkey } from "../wallets/stellar/strkey.ts";
import { decodeEnvelope, encodeEnvelope, hashOf, sign } from "../wallets/stellar/transaction.ts";

const SEED_BYTES = 32;

/** A transaction in base64 XDR, and the passphrase of its network under either of its names. */
type SignableChallenge = { readonly transaction: string } & (
  | { readonly network_passphrase: string }
  | { readonly networkPassphrase: string }
);

/** A Stellar key that signs challenges as a stock client does. For tests and demonstrations. */
export interface WalletKeypair {
  /** G…. */
  readonly account: string;
  /** S…. */
  readonly seed: string;
  /**
   * Adds this key's signature to a challenge and leaves all else as it is. Takes a challenge as the server answers it, or as
   * `signIn` of the client hands it to a wallet. Does NOT check what it signs.
   */
  sign(challenge: SignableChallenge): string;
}

/**
 * A new random key, or the one of a given 32-byte seed.
 *
 * @example
 * ```ts
 * import { createSessionClient } from "wallet-session/client";
 * import { createWalletKeypair } from "wallet-session/testing";
 *
 * const { account, sign } = createWalletKeypair();
 * await createSessionClient().signIn({ account, sign });
 * ```
 */
export function createWalletKeypair(rawSeed: Uint8Array = randomBytes(SEED_BYTES)): WalletKeypair {
  const seed = encodeStrkey("S", rawSeed);
  const keypair = keypairFromSeed(seed);
  return {
    account: keypair.account,
    seed,
    sign(challenge) {
      const { transaction: envelope } = challenge;
      const passphrase =
        "networkPassphrase" in challenge ? challenge.networkPassphrase : challenge.network_passphrase;
      const { transaction, signatures } = decodeEnvelope(Buffer.from(envelope, "base64"));
      return encodeEnvelope(transaction, [...signatures, sign(hashOf(transaction, passphrase), keypair)]);
    },
  };
}
