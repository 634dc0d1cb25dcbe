"use client";

import { useRouter } from "next/navigation";
import { useState } from "react";
import type { Challenge } from "wallet-session/client";
import { explain } from "../components/explain.ts";
import { useSessionClient } from "../components/session-context.tsx";
import { DeclinedError, WalletError } from "./wallet-error.ts";

type WalletName = "freighter" | "demo";

/** A way to sign: which account, and how. Both may throw WalletError. */
export interface SigningWallet {
  readonly name: WalletName;
  account(): Promise<string>;
  sign(account: string, challenge: Challenge): Promise<string>;
}

export type SignInProgress =
  | { readonly step: "idle" }
  | { readonly step: "working"; readonly wallet: WalletName; readonly text: string }
  | { readonly step: "declined" | "failed"; readonly wallet: WalletName; readonly text: string };

/** Runs one sign-in at a time, tells how far it is, and goes to the session page when it is done. */
export function useSignIn(): [SignInProgress, (wallet: SigningWallet) => Promise<void>] {
  const client = useSessionClient();
  const router = useRouter();
  const [progress, setProgress] = useState<SignInProgress>({ step: "idle" });

  async function signIn(wallet: SigningWallet) {
    const say = (text: string) => setProgress({ step: "working", wallet: wallet.name, text });
    try {
      say("Asking your wallet for its account…");
      const account = await wallet.account();
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
      say("Signed in. Opening your session…");
      router.push("/session");
    } catch (error) {
      const text = error instanceof WalletError ? error.message : explain(error);
      const step = error instanceof DeclinedError ? "declined" : "failed";
      setProgress({ step, wallet: wallet.name, text });
    }
  }

  return [progress, signIn];
}
