"use client";

import { useEffect, useState } from "react";
import { shortAddress } from "../components/address.tsx";
import { Button } from "../components/button.tsx";
import { isInstalled, watchAccount } from "./freighter.ts";
import { FREIGHTER, type SigningWallet } from "./signing-wallets.ts";
import type { SignInProgress } from "./use-sign-in.ts";

interface WalletOptionProps {
  progress: SignInProgress;
  signIn: (wallet: SigningWallet) => Promise<void>;
}

export function FreighterOption({ progress, signIn }: WalletOptionProps) {
  const [installed, setInstalled] = useState<boolean>();
  const [account, setAccount] = useState("");

  useEffect(() => {
    let gone = false;
    let stopWatching = () => {};
    (async () => {
      const found = await isInstalled();
      if (gone) return;
      setInstalled(found);
      if (!found) return;
      const stop = await watchAccount(setAccount);
      if (gone) stop();
      else stopWatching = stop;
    })();
    return () => {
      gone = true;
      stopWatching();
    };
  }, []);

  if (installed === false) {
    return (
      <div className="rounded-xl border border-line bg-sunken p-4 text-sm leading-relaxed">
        <p className="font-medium">Freighter is not installed in this browser.</p>
        <p className="mt-1 text-muted">
          It is a Stellar wallet that keeps your key and asks before it signs.{" "}
          <a
            href="https://www.freighter.app/"
            target="_blank"
            rel="noreferrer"
            className="font-medium text-accent underline underline-offset-4"
          >
            Get Freighter<span className="sr-only"> (opens a new tab)</span>
          </a>
        </p>
        {/* An extension gets no hold of a page that was loaded before it was there. */}
        <Button className="mt-3" onClick={() => location.reload()}>
          Reload when you have it
        </Button>
      </div>
    );
  }

  const busy = progress.step === "working";
  return (
    <div>
      <Button
        look="primary"
        className="w-full"
        busy={busy && progress.wallet === "freighter"}
        onClick={() => busy || signIn(FREIGHTER)}
      >
        Continue with Freighter
      </Button>
      {account !== "" && (
        <p className="mt-2 text-center text-sm text-muted">
          Active in Freighter: <span className="font-mono">{shortAddress(account)}</span>
        </p>
      )}
    </div>
  );
}
