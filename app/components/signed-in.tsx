"use client";

import { Activity, type ReactNode, useEffect } from "react";
import { useSession, useSessionClient } from "wallet-session/react";
import { AccountContext, useLoadedAccount } from "./account.tsx";
import { Ended } from "./ended.tsx";
import { ExtendSession } from "./extend-session.tsx";
import { LoadFailure } from "./load-failure.tsx";
import { Loading } from "./spinner.tsx";

/**
 * The part of a page that belongs to an account. It does not say signed in or signed out before the
 * server has, and nothing of the account stays when its session has ended.
 */
export function SignedIn({ title, children }: { title: string; children: ReactNode }) {
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
