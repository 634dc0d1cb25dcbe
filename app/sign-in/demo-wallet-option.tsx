"use client";

import { useEffect, useState } from "react";
import { shortAddress } from "../components/address.tsx";
import { Button } from "../components/button.tsx";
import { forgetDemoWallet, openDemoWallet } from "./demo-wallet.ts";
import { DEMO_WALLET, type SigningWallet } from "./signing-wallets.ts";
import type { SignInProgress } from "./use-sign-in.ts";

interface WalletOptionProps {
  progress: SignInProgress;
  signIn: (wallet: SigningWallet) => Promise<void>;
}

export function DemoWalletOption({ progress, signIn }: WalletOptionProps) {
  const [account, setAccount] = useState("");

  useEffect(() => {
    // A browser that cannot make the key says so when it is used.
    openDemoWallet(localStorage).then(
      ({ account }) => setAccount(account),
      () => {},
    );
  }, []);

  async function renew() {
    forgetDemoWallet(localStorage);
    setAccount((await openDemoWallet(localStorage)).account);
  }

  const busy = progress.step === "working";
  return (
    <section aria-labelledby="demo-wallet" className="rounded-xl border border-dashed border-edge p-4">
      <p id="demo-wallet" className="text-sm font-medium">
        Demo wallet
      </p>
      <p className="mt-1 text-sm leading-relaxed text-notice">
        Development only: the key lives in this page. Never use it for funds.
      </p>
      <p className="mt-2 min-h-5 font-mono text-sm text-muted">{account !== "" && shortAddress(account)}</p>
      <div className="mt-3 grid gap-1">
        <Button busy={busy && progress.wallet === "demo"} onClick={() => busy || signIn(DEMO_WALLET)}>
          Sign in with the demo wallet
        </Button>
        <Button look="quiet" onClick={() => busy || renew()}>
          Make another key
        </Button>
      </div>
    </section>
  );
}
