"use client";

import { useEffect, useState } from "react";
import { Button } from "../components/button.tsx";
import { explain } from "../components/explain.ts";
import { Notice } from "../components/notice.tsx";
import { hasSignedInBefore, useSessionClient, useSessionState } from "../components/session-context.tsx";
import { Spinner } from "../components/spinner.tsx";
import { useToast } from "../components/toast.tsx";
import { Ended } from "./ended.tsx";
import { OtherSessions } from "./other-sessions.tsx";
import { ThisSession } from "./this-session.tsx";
import { useSessionData } from "./use-session-data.ts";

/** The session page: nothing is said about being signed in or out before the server has said it. */
export function SessionView() {
  const state = useSessionState();
  const { data, error, reload } = useSessionData();
  const [hadSession, setHadSession] = useState(false);

  useEffect(() => setHadSession(hasSignedInBefore()), []);

  if (state.status === "signed-out") return <Ended reason={state.reason} hadSession={hadSession} />;
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-4">
        <h1 className="text-3xl font-semibold tracking-tight">Your session</h1>
        {data !== null && <SignOutButton />}
      </div>
      <div aria-live="polite" className="empty:hidden">
        {error !== null && (
          <div className="mt-6">
            <Notice look="notice">
              <div className="flex flex-wrap items-center justify-between gap-3">
                <p>{explain(error)}</p>
                <Button onClick={() => void reload()}>Try again</Button>
              </div>
            </Notice>
          </div>
        )}
      </div>
      {data !== null && (
        <div className="mt-8 grid items-start gap-6 lg:grid-cols-[1fr_1.35fr]">
          <ThisSession actorId={data.actorId} session={data.sessions.find(({ current }) => current)} />
          <OtherSessions sessions={data.sessions} reload={reload} />
        </div>
      )}
      {data === null && error === null && (
        <p role="status" className="mt-10 flex items-center gap-3 text-muted">
          <Spinner /> Looking for your session…
        </p>
      )}
    </>
  );
}

function SignOutButton() {
  const client = useSessionClient();
  const toast = useToast();
  const [busy, setBusy] = useState(false);

  async function signOut() {
    setBusy(true);
    try {
      await client.signOut();
    } catch (error) {
      toast(`You are still signed in. ${explain(error)}`);
      setBusy(false);
    }
  }

  return (
    <Button busy={busy} onClick={signOut}>
      Sign out
    </Button>
  );
}
