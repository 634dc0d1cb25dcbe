import { Keypair, Transaction } from "@stellar/stellar-sdk/base";

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
export function createWalletKeypair(rawSeed?: Uint8Array): WalletKeypair {
  const keypair = rawSeed === undefined ? Keypair.random() : Keypair.fromRawEd25519Seed(rawSeed);
  return {
    account: keypair.publicKey(),
    seed: keypair.secret(),
    sign({ transaction, network_passphrase }) {
      const signed = new Transaction(transaction, network_passphrase);
      signed.sign(keypair);
      return signed.toXdr();
    },
  };
}
