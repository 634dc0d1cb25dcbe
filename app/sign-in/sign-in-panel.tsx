"use client";

import Link from "next/link";
import { useEffect } from "react";
import { buttonClass } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { Notice } from "../components/notice.tsx";
import { hasSignedInBefore, useSessionClient, useSessionState } from "../components/session-context.tsx";
import { DemoWalletOption } from "./demo-wallet-option.tsx";
import { FreighterOption } from "./freighter-option.tsx";
import { useSignIn } from "./use-sign-in.ts";

/** The wallets to sign in with. `demoWallet`: whether the server allows the one whose key lives in the page. */
export function SignInPanel({
  demoWallet,
  headingLevel,
}: {
  demoWallet: boolean;
  headingLevel: "h1" | "h2";
}) {
  const [progress, signIn] = useSignIn();
  const Heading = headingLevel;

  return (
    <Card labelledBy="sign-in" className="shadow-[0_24px_60px_-32px_rgb(10_60_50/0.35)]">
      <Heading id="sign-in" className="text-xl font-semibold tracking-tight">
        Sign in with your wallet
      </Heading>
      <p className="mt-1.5 text-sm leading-relaxed text-muted">
        Your wallet signs a challenge. It is no payment, costs nothing and can never be executed.
      </p>
      <SignedInAlready />
      <div className="mt-5 grid gap-5">
        <FreighterOption progress={progress} signIn={signIn} />
        {demoWallet && <DemoWalletOption progress={progress} signIn={signIn} />}
      </div>
      <div aria-live="polite" className="mt-4 empty:hidden">
        {progress.step === "working" && <p className="text-sm text-muted">{progress.text}</p>}
        {progress.step === "declined" && <Notice look="calm">{progress.text}</Notice>}
        {progress.step === "failed" && <Notice look="danger">{progress.text}</Notice>}
      </div>
    </Card>
  );
}

/** For those who come back: the way to the session that this browser has. */
function SignedInAlready() {
  const client = useSessionClient();
  const { status } = useSessionState();

  useEffect(() => {
    // Where the server cannot be asked, signing in is still offered.
    if (client.state.status === "unknown" && hasSignedInBefore()) client.check().catch(() => {});
  }, [client]);

  if (status !== "signed-in") return null;
  return (
    <div className="mt-4 flex flex-wrap items-center justify-between gap-3 rounded-xl bg-wash py-2 pr-2 pl-4 text-sm">
      <p>You are signed in in this browser.</p>
      <Link href="/session" className={buttonClass("primary")}>
        Open your session
      </Link>
    </div>
  );
}
