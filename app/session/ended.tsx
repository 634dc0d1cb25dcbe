"use client";

import Link from "next/link";
import { useEffect, useRef } from "react";
import type { SessionState } from "wallet-session/client";
import { buttonClass } from "../components/button.tsx";
import { Card } from "../components/card.tsx";

type Reason = Extract<SessionState, { status: "signed-out" }>["reason"];

interface Explanation {
  readonly title: string;
  readonly text: string;
}

const EXPLANATIONS: Record<Exclude<Reason, "refresh_token_missing">, Explanation> = {
  signed_out: {
    title: "You are signed out.",
    text: "This browser's session has ended. Your other sessions go on until you end them.",
  },
  refresh_token_revoked: {
    title: "This session was ended.",
    text: "Somebody who is signed in with your wallet ended it from another browser. If that was not you, sign in and look at the list of sessions.",
  },
  session_revoked: {
    title: "This session was ended.",
    text: "Somebody who is signed in with your wallet ended it from another browser. If that was not you, sign in and look at the list of sessions.",
  },
  refresh_token_reused: {
    title: "This session was ended to protect you.",
    text: "A spent key of this session was used a second time, which can mean that a copy of it was stolen. The session and every copy of it are now worthless. Sign in for a new one.",
  },
  refresh_token_expired: {
    title: "This session has run out.",
    text: "It was unused for too long, or it reached its final day. Sign in for a new one.",
  },
  refresh_token_invalid: {
    title: "This session is not known any more.",
    text: "The server does not recognise what this browser holds. Sign in for a new session.",
  },
};

const SIGNED_OUT_ELSEWHERE: Explanation = {
  title: "You are signed out in this browser.",
  text: "The session ended in another tab, or it was unused for too long. Sign in for a new one.",
};

const NEVER_SIGNED_IN: Explanation = {
  title: "You are not signed in.",
  text: "Sign in with your wallet to see your session and where else you are signed in.",
};

/** Says why there is no session, and where to get one. `hadSession`: this browser was signed in before. */
export function Ended({ reason, hadSession }: { reason: Reason; hadSession: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { title, text } = explanationOf(reason, hadSession);

  // What the person was reading is gone: their place is now here.
  useEffect(() => heading.current?.focus(), []);

  return (
    <Card className="mx-auto max-w-lg">
      <h1 ref={heading} tabIndex={-1} className="text-2xl font-semibold tracking-tight">
        {title}
      </h1>
      <p className="mt-3 leading-relaxed text-muted">{text}</p>
      <p className="mt-6">
        <Link href="/sign-in" className={buttonClass("primary")}>
          Sign in
        </Link>
      </p>
    </Card>
  );
}

function explanationOf(reason: Reason, hadSession: boolean): Explanation {
  if (reason !== "refresh_token_missing") return EXPLANATIONS[reason];
  return hadSession ? SIGNED_OUT_ELSEWHERE : NEVER_SIGNED_IN;
}
