"use client";

import { useAccount } from "../components/account.tsx";
import { Button, type ButtonLook } from "../components/button.tsx";
import { useSignIn, walletUsedLast } from "./use-sign-in.ts";

interface SignAgainProps {
  label: string;
  look?: ButtonLook;
  onSigned: () => void;
}

/** One press, one signature of the same account, a new session in this browser, and the page stays where it is. */
export function SignAgain({ label, look = "primary", onSigned }: SignAgainProps) {
  const { actorId } = useAccount();
  const [progress, signIn] = useSignIn({ onSignedIn: onSigned, done: "Signed.", only: actorId });
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <Button look={look} busy={progress.step === "working"} onClick={() => void signIn(walletUsedLast())}>
        {label}
      </Button>
      <p aria-live="polite" className="text-sm empty:hidden">
        {progress.step === "idle" ? "" : progress.text}
      </p>
    </div>
  );
}
