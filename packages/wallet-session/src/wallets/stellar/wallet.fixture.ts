import { createHash } from "node:crypto";
import { Keypair, Networks, type Transaction, TransactionBuilder } from "@stellar/stellar-sdk/base";
import { createManualClock } from "../../testing/manual-clock.ts";
import { type AccountSigners, type AccountState, masterKeyOnly } from "./answer.ts";
import { createStellarWallet, type StellarWalletOptions } from "./wallet.ts";

export const NETWORK = Networks.TESTNET;
export const HOME_DOMAIN = "streams.example.com";
export const WEB_AUTH_DOMAIN = "auth.example.com";
export const CLIENT_DOMAIN = "wallet.example.org";

/** The same key for the same name in each run. */
export function keyOf(name: string): Keypair {
  return Keypair.fromRawEd25519Seed(createHash("sha256").update(name).digest());
}

export const SERVER = keyOf("server");
export const ALICE = keyOf("alice");
export const CLIENT_APP = keyOf("client domain");

/** A wallet method with everything in it real, but for time and the two ways out to the network. */
export function walletAt(options: Partial<StellarWalletOptions> = {}) {
  const clock = createManualClock();
  let counter = 0;
  const wallet = createStellarWallet({
    signingSeed: SERVER.secret(),
    networkPassphrase: NETWORK,
    homeDomain: HOME_DOMAIN,
    webAuthDomain: WEB_AUTH_DOMAIN,
    webAuthEndpoint: `https://${WEB_AUTH_DOMAIN}/api/auth/wallet`,
    accountSigners: masterKeyOnly,
    clientDomainKey: async () => CLIENT_APP.publicKey(),
    clock,
    random: (size) => Buffer.alloc(size, ++counter),
    ...options,
  });
  return { clock, wallet };
}

/** Signers that know one state for every account. */
export function signersOf(state: AccountState): AccountSigners {
  return { load: async () => state };
}

export function decode(envelope: string): Transaction {
  const transaction = TransactionBuilder.fromXdr(envelope, NETWORK);
  if (!("sequence" in transaction)) throw new Error("a fee bump");
  return transaction;
}

/** Adds signatures as a client does. */
export function signedBy(envelope: string, ...keys: Keypair[]): string {
  const transaction = decode(envelope);
  transaction.sign(...keys);
  return transaction.toXdr();
}
