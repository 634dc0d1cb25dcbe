"use client";

import { useEffect } from "react";
import { useFeedEvent } from "wallet-session/react";
import { useAccount } from "../components/account.tsx";
import { LoadFailure, SkeletonRows } from "../components/load-failure.tsx";
import { useLoaded } from "../components/use-loaded.ts";
import { isUnderWay, useOperations } from "../operations/operation-data.ts";
import { Alarms } from "./alarms.tsx";
import { OtherSessions } from "./other-sessions.tsx";
import { listSessions } from "./session-data.tsx";
import { SignOut } from "./sign-out.tsx";
import { ThisSession } from "./this-session.tsx";

/** How soon the page notices a sign-in on another device: no event tells it. */
const RELOAD_MS = 10_000;

/** Lists where the account is signed in and what runs there, and ends sessions. */
export function SessionsView() {
  const { actorId, sessionId } = useAccount();
  const { data, error, reload } = useLoaded(listSessions);
  const { data: operations } = useOperations();
  const running = operations?.filter(isUnderWay) ?? [];

  // The list says how often this session has been renewed.
  useFeedEvent("session.renewed", () => void reload());
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") void reload();
    }, RELOAD_MS);
    return () => clearInterval(timer);
  }, [reload]);

  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-4">
        <h1 className="text-3xl font-semibold tracking-tight">Your sessions</h1>
        <SignOut running={running} runningHere={running.filter(({ session_id: id }) => id === sessionId)} />
      </div>
      <LoadFailure error={error} onRetry={reload} />
      <Alarms operations={operations ?? []} />
      <div className="mt-8 grid items-start gap-6 lg:grid-cols-[1fr_1.35fr]">
        <ThisSession actorId={actorId} session={data?.find(({ current }) => current)} />
        {data === null ? (
          error === null && <SkeletonRows label="Loading your sessions…" />
        ) : (
          <OtherSessions sessions={data} running={running} reload={reload} />
        )}
      </div>
    </>
  );
}
