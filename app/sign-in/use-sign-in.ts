"use client";

import { useState } from "react";
import type { Challenge } from "wallet-session/client";
import { useSessionClient } from "wallet-session/react";
import { shortAddress } from "../components/address.tsx";
import { explain } from "../components/explain.ts";
import { openDemoWallet } from "./demo-wallet.ts";
import { DeclinedError, WalletError } from "./wallet-error.ts";

export type SignInProgress =
  | { readonly step: "idle" }
  | { readonly step: "working"; readonly wallet: WalletName; readonly text: string }
  | { readonly step: "declined" | "failed"; readonly wallet: WalletName; readonly text: string };

interface SignInOptions {
  /** Called when a session stands. */
  readonly onSignedIn: () => void;
  /** What is said from then on, until the page does something else. */
  readonly done: string;
  /** The only account that may sign; any other is refused before it is asked to. */
  readonly only?: string;
}

/** Runs one sign-in at a time and tells how far it is. */
export function useSignIn(
  options: SignInOptions,
): [SignInProgress, (wallet: SigningWallet) => Promise<void>] {
  const { onSignedIn, done, only } = options;
  const client = useSessionClient();
  const [progress, setProgress] = useState<SignInProgress>({ step: "idle" });

  async function signIn(wallet: SigningWallet) {
    const say = (text: string) => setProgress({ step: "working", wallet: wallet.name, text });
    try {
      say("Asking your wallet for its account…");
      const account = await wallet.account();
      if (only !== undefined && only !== account) throw wrongAccount(only);
      say("Getting a challenge from the server…");
      await client.signIn({
        account,
        sign: async (challenge) => {
          say("Waiting for your wallet…");
          const signed = await wallet.sign(account, challenge);
          say("Checking the signature…");
          return signed;
        },
      });
      rememberWallet(wallet);
      say(done);
      onSignedIn();
    } catch (error) {
      const step = error instanceof DeclinedError ? "declined" : "failed";
      setProgress({ step, wallet: wallet.name, text: explain(error) });
    }
  }

  return [progress, signIn];
}

export function wrongAccount(wanted: string): WalletError {
  return new WalletError(
    `Your wallet has another account active. Switch to ${shortAddress(wanted)} and try again.`,
  );
}

type WalletName = "freighter" | "demo";

/** A way to sign: which account, and how. Both may throw WalletError. */
export interface SigningWallet {
  readonly name: WalletName;
  account(): Promise<string>;
  sign(account: string, challenge: Challenge): Promise<string>;
}

export const FREIGHTER: SigningWallet = {
  name: "freighter",
  account: async () => {
    if (!(await isInstalled()))
      throw new WalletError("Freighter does not answer. Install or enable it first.");
    return requestAccount();
  },
  sign: signWithFreighter,
};

export const DEMO_WALLET: SigningWallet = {
  name: "demo",
  account: async () => (await openDemoWallet(localStorage)).account,
  sign: async (_, challenge) => (await openDemoWallet(localStorage)).sign(challenge),
};

/** The wallet that this browser signed in with last, to sign again without choosing. */
const LAST_USED = "streampay.wallet";

function rememberWallet({ name }: SigningWallet): void {
  localStorage.setItem(LAST_USED, name);
}

export function walletUsedLast(): SigningWallet {
  return localStorage.getItem(LAST_USED) === DEMO_WALLET.name ? DEMO_WALLET : FREIGHTER;
}

/** Freighter's code for "the person said no". */
const DECLINED = -4;

const NETWORK_NAMES: Record<string, string> = {
  "Public Global Stellar Network ; September 2015": "the public network",
  "Test SDF Network ; September 2015": "Testnet",
  "Test SDF Future Network ; October 2022": "Futurenet",
};

const freighterApi = () => import("@stellar/freighter-api");

/** Whether the extension answers in this browser. It takes up to two seconds to learn that it does not. */
export async function isInstalled(): Promise<boolean> {
  const { isConnected } = await freighterApi();
  return (await isConnected()).isConnected;
}

/** Tells the account that is active in Freighter, now and whenever it changes, if this site may see it. */
export async function watchAccount(onChange: (account: string) => void): Promise<() => void> {
  const { isAllowed, WatchWalletChanges } = await freighterApi();
  if (!(await isAllowed()).isAllowed) return () => {};
  const watcher = new WatchWalletChanges(2_000);
  watcher.watch(({ address }) => onChange(address));
  return () => watcher.stop();
}

/** Asks for the account that is active now. @throws WalletError */
async function requestAccount(): Promise<string> {
  const { requestAccess } = await freighterApi();
  const { address, error } = await requestAccess();
  if (error !== undefined)
    throw fromFreighter(error, "You did not share your account, so nothing was signed.");
  if (address === "") throw new WalletError("Freighter has no account to share. Unlock it and try again.");
  return address;
}

/** Has Freighter sign the challenge as `account`. @throws WalletError */
async function signWithFreighter(account: string, challenge: Challenge): Promise<string> {
  const { getNetworkDetails, signTransaction } = await freighterApi();
  const { networkPassphrase, error: networkError } = await getNetworkDetails();
  if (networkError !== undefined) throw fromFreighter(networkError, "Freighter did not tell its network.");
  if (networkPassphrase !== challenge.networkPassphrase) {
    throw new WalletError(
      `Freighter is on ${networkName(networkPassphrase)}, and StreamPay is on ${networkName(challenge.networkPassphrase)}. ` +
        "Switch the network in Freighter and try again.",
    );
  }
  const { signedTxXdr, signerAddress, error } = await signTransaction(challenge.transaction, {
    address: account,
    networkPassphrase,
  });
  if (error !== undefined)
    throw fromFreighter(error, "You declined the signature, so you are not signed in.");
  if (signerAddress !== "" && signerAddress !== account) {
    throw new WalletError(
      "The account in Freighter changed while it was signing. Try again with the one you want.",
    );
  }
  return signedTxXdr;
}

function networkName(passphrase: string): string {
  return NETWORK_NAMES[passphrase] ?? `“${passphrase}”`;
}

function fromFreighter(error: { code: number; message: string }, whenDeclined: string): WalletError {
  if (error.code === DECLINED) return new DeclinedError(whenDeclined);
  return new WalletError(`Freighter could not do it: ${error.message}`);
}
