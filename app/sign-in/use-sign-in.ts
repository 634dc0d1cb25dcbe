"use client";

import { useState } from "react";
import { useSessionClient } from "wallet-session/react";
import { shortAddress } from "../components/address.tsx";
import { explain } from "../components/explain.ts";
import { rememberWallet, type SigningWallet, type WalletName } from "./signing-wallets.ts";
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
      const text = error instanceof WalletError ? error.message : explain(error);
      const step = error instanceof DeclinedError ? "declined" : "failed";
      setProgress({ step, wallet: wallet.name, text });
    }
  }

  return [progress, signIn];
}

function wrongAccount(wanted: string): WalletError {
  return new WalletError(
    `Your wallet has another account active. Switch to ${shortAddress(wanted)} and try again.`,
  );
}
