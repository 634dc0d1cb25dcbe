"use client";

import dynamic from "next/dynamic";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { Activity, type ReactNode, useEffect, useRef, useState } from "react";
import { useSession, useSessionClient } from "wallet-session/react";
import { commandOperation, useOperations } from "../operations/operation-data.ts";
import { signInPath } from "../sign-in/next-path.ts";
import { AccountContext, useAccount, useLoadedAccount } from "./account.tsx";
import { buttonClass, Loading } from "./button.tsx";
import { Card, Notice } from "./card.tsx";
import { type EndReason, explainEnd } from "./last-session.ts";
import { LoadFailure } from "./load-failure.tsx";
import { Page } from "./site-header.tsx";
import { useServerNow } from "./time.tsx";

interface AccountPageProps {
  /** Stands as the heading until the account is known. */
  title: string;
  narrow?: boolean;
  children: ReactNode;
}

/** The frame of a page that belongs to an account. Does NOT guard it: its page asks `pageGuard` first. */
export function AccountPage({ title, narrow = false, children }: AccountPageProps) {
  return (
    <Page className={`pt-4 pb-24 sm:pt-10 ${narrow ? "max-w-3xl" : "max-w-6xl"}`}>
      <SignedIn title={title}>{children}</SignedIn>
    </Page>
  );
}

/**
 * The part of a page that belongs to an account. It does not say signed in or signed out before the
 * server has, and nothing of the account stays when its session has ended.
 */
function SignedIn({ title, children }: { title: string; children: ReactNode }) {
  const client = useSessionClient();
  const state = useSession();
  const { account, error, hadSession, reload } = useLoadedAccount();

  useEffect(() => {
    if (client.state.status === "unknown") void reload();
  }, [client, reload]);

  if (state.status === "signed-out") return <Ended reason={state.reason} hadSession={hadSession} />;
  // A new sign-in without leaving the page: what was typed in is kept, and shown again once it is the same person.
  const known = account !== null && (state.status === "unknown" || account.sessionId === state.sessionId);
  return (
    <>
      {!known && (
        <>
          <h1 className="text-3xl font-semibold tracking-tight">{title}</h1>
          <LoadFailure error={error} onRetry={reload} />
          {error === null && <Loading>Looking for your session…</Loading>}
        </>
      )}
      {account !== null && (
        <Activity mode={known ? "visible" : "hidden"}>
          <AccountContext key={account.actorId} value={account}>
            <ExtendSession />
            {children}
          </AccountContext>
        </Activity>
      )}
    </>
  );
}

const NEVER_SIGNED_IN = {
  title: "You are not signed in.",
  text: "This page belongs to an account. Sign in with your wallet to see it.",
};

/** Says why there is no session, and where to get one. `hadSession`: this browser was signed in before. */
function Ended({ reason, hadSession }: { reason: EndReason; hadSession: boolean }) {
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

const DAY_MS = 86_400_000;
/** The last share of a session's life, in which the page announces its end. */
const LAST_SHARE = 1 / 10;
const END = new Intl.DateTimeFormat("en", { dateStyle: "long", timeStyle: "short" });

const SignAgain = dynamic(() => import("../sign-in/sign-again.tsx").then((module) => module.SignAgain));

/**
 * Asks for a signature only when one is really needed: near the end that no renewal can move. Everything else is renewed in
 * the background.
 */
function ExtendSession() {
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

/**
 * Lets go on what ran under a session that has just been replaced by a newer one of the same account: the signature that
 * the server waits for has been given. What fails here is left paused, with its page saying how to go on.
 */
function ResumeReplaced({ sessionId }: { sessionId: string }) {
  const client = useSessionClient();
  const { data } = useOperations();
  const asked = useRef(new Set<string>());

  useEffect(() => {
    for (const { id, status, session_id: grantedBy } of data ?? []) {
      if (status !== "paused" || grantedBy !== sessionId || asked.current.has(id)) continue;
      asked.current.add(id);
      commandOperation(client, id, "resume").catch(() => {});
    }
  }, [client, data, sessionId]);

  return null;
}
