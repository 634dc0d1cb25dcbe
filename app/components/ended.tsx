"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import { useEffect, useRef } from "react";
import { signInPath } from "../sign-in/next-path.ts";
import { buttonClass } from "./button.tsx";
import { Card } from "./card.tsx";
import { type EndReason, explainEnd } from "./end-explanations.ts";

const NEVER_SIGNED_IN = {
  title: "You are not signed in.",
  text: "This page belongs to an account. Sign in with your wallet to see it.",
};

/** Says why there is no session, and where to get one. `hadSession`: this browser was signed in before. */
export function Ended({ reason, hadSession }: { reason: EndReason; hadSession: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const path = usePathname();
  const neverSignedIn = reason === "refresh_token_missing" && !hadSession;
  const { title, text } = neverSignedIn ? NEVER_SIGNED_IN : explainEnd(reason);

  // The content with the focus is gone, so the focus moves here.
  useEffect(() => heading.current?.focus(), []);

  return (
    <Card className="mx-auto max-w-lg">
      <h1 ref={heading} tabIndex={-1} className="text-2xl font-semibold tracking-tight">
        {title}
      </h1>
      <p className="mt-3 leading-relaxed text-muted">{text}</p>
      <p className="mt-6">
        <Link href={signInPath(path)} className={buttonClass("primary")}>
          Sign in
        </Link>
      </p>
    </Card>
  );
}
