"use client";

import dynamic from "next/dynamic";
import { useState } from "react";
import { ResumeReplaced } from "../operations/resume-replaced.tsx";
import { useAccount } from "./account.tsx";
import { Notice } from "./notice.tsx";
import { useServerNow } from "./server-clock.ts";

const DAY_MS = 86_400_000;
/** The last share of a session's life, in which the page announces its end. */
const LAST_SHARE = 1 / 10;
const END = new Intl.DateTimeFormat("en", { dateStyle: "long", timeStyle: "short" });

const SignAgain = dynamic(() => import("../sign-in/sign-again.tsx").then((module) => module.SignAgain));

/**
 * Asks for a signature only when one is really needed: near the end that no renewal can move. Everything else is renewed in
 * the background.
 */
export function ExtendSession() {
  const { sessionId, createdAt, expiresAt } = useAccount();
  const now = useServerNow();
  const [replaced, setReplaced] = useState<string | null>(null);
  const end = Date.parse(expiresAt);
  const near = Math.min(DAY_MS, (end - Date.parse(createdAt)) * LAST_SHARE);
  return (
    <>
      <div aria-live="polite" className="mb-8 empty:hidden print:hidden">
        {now > 0 && end - now < near && (
          <Notice look="notice">
            <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
              <p>
                Your session ends on <time dateTime={expiresAt}>{END.format(end)}</time>. Sign once to go on;
                you stay on this page.
              </p>
              <SignAgain label="Sign once" look="secondary" onSigned={() => setReplaced(sessionId)} />
            </div>
          </Notice>
        )}
      </div>
      {replaced !== null && <ResumeReplaced sessionId={replaced} />}
    </>
  );
}
