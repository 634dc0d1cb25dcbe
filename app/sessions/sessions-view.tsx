"use client";

import { useEffect, useState } from "react";
import type { SessionTiming } from "wallet-session/client";
import { useFeedEvent, useSession, useSessionClient } from "wallet-session/react";
import { useAccount } from "../components/account.tsx";
import { Address } from "../components/address.tsx";
import { Button } from "../components/button.tsx";
import { Card, Fact } from "../components/card.tsx";
import { ConfirmDialog } from "../components/dialog.tsx";
import { explain } from "../components/explain.ts";
import { LoadFailure, SkeletonRows } from "../components/load-failure.tsx";
import { DateOnly, minutesAndSeconds, RelativeTime } from "../components/time.tsx";
import { useToast } from "../components/toast.tsx";
import { useLoaded } from "../components/use-loaded.ts";
import { isUnderWay, type Operation, useOperations } from "../operations/operation-data.ts";
import { pausesText } from "../operations/operation-strip.tsx";
import { Alarms } from "./alarms.tsx";
import { OtherSessions } from "./other-sessions.tsx";
import { deviceName, endOtherSessions, type ListedSession, listSessions } from "./session-data.tsx";

/** How soon the page notices a sign-in on another device: no event tells it. */
const RELOAD_MS = 10_000;

/** Lists where the account is signed in and what runs there, and ends sessions. */
export function SessionsView() {
  const { actorId, sessionId } = useAccount();
  const { data, error, reload } = useLoaded(listSessions, { fed: false });
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
      <Alarms operations={operations ?? []} sessions={data ?? []} />
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

function ThisSession({ actorId, session }: { actorId: string; session: ListedSession | undefined }) {
  return (
    <Card labelledBy="this-session" title="This session">
      <div className="mt-4 grid gap-6 sm:grid-cols-2 lg:grid-cols-1">
        <div>
          <p className="text-sm text-muted">Signed in as</p>
          <Address address={actorId} />
          <div className="mt-4">
            <RenewalMeter />
          </div>
        </div>
        {session !== undefined && (
          <dl className="grid grid-cols-2 content-start gap-x-6 gap-y-4 text-sm lg:border-t lg:border-line lg:pt-6">
            <Fact name="Device">{deviceName(session.client)}</Fact>
            <Fact name="Signed in">
              <RelativeTime iso={session.created_at} />
            </Fact>
            <Fact name="Renewed">{times(session.generation - 1)}</Fact>
            <Fact name="Ends at the latest">
              <DateOnly iso={session.expires_at} />
            </Fact>
          </dl>
        )}
      </div>
    </Card>
  );
}

function times(count: number): string {
  if (count === 0) return "not yet";
  return count === 1 ? "once" : `${count.toLocaleString("en")} times`;
}

/** How long until the session renews itself. Seen, not read out: it changes every second. */
function RenewalMeter() {
  const client = useSessionClient();
  const state = useSession();
  const [timing, setTiming] = useState<SessionTiming | null>(null);
  /** What the present wait began with. */
  const [whole, setWhole] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each answer of the server begins a new wait
  useEffect(() => {
    setWhole(client.timing()?.renewalMs ?? 0);
    const tick = () => setTiming(client.timing());
    tick();
    const timer = setInterval(tick, 1_000);
    return () => clearInterval(timer);
  }, [client, state]);

  if (timing === null) return null;
  const share = whole === 0 ? 0 : Math.min(1, timing.renewalMs / whole);
  return (
    <div>
      <p className="text-sm text-muted">
        {timing.renewalMs === 0 ? (
          "Renewing now…"
        ) : (
          <>
            Renews itself in{" "}
            <span className="font-mono text-ink tabular-nums">{minutesAndSeconds(timing.renewalMs)}</span>
          </>
        )}
      </p>
      <div aria-hidden="true" className="mt-2 h-1.5 overflow-hidden rounded-full bg-sunken">
        <div
          className="h-full origin-left rounded-full bg-accent motion-safe:transition-transform motion-safe:duration-1000 motion-safe:ease-linear"
          style={{ transform: `scaleX(${share})` }}
        />
      </div>
    </div>
  );
}

type Extent = "here" | "everywhere";

interface SignOutProps {
  /** What runs under this browser's session. */
  runningHere: readonly Operation[];
  /** What runs under any. */
  running: readonly Operation[];
}

/** Ends this browser's session, or all of them. Asks first if that affects more than this page. */
function SignOut({ runningHere, running }: SignOutProps) {
  const client = useSessionClient();
  const toast = useToast();
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState<Extent | null>(null);
  const affected = asking === "everywhere" ? running : runningHere;

  async function signOut(extent: Extent) {
    setBusy(true);
    try {
      // The others first: ending them needs this session.
      if (extent === "everywhere") await endOtherSessions(client);
      await client.signOut();
    } catch (error) {
      toast(`You are still signed in. ${explain(error)}`);
      setBusy(false);
      setAsking(null);
    }
  }

  return (
    <div className="flex flex-wrap gap-3">
      <Button look="quiet" onClick={() => setAsking("everywhere")}>
        Sign out everywhere
      </Button>
      <Button
        busy={busy && asking === null}
        onClick={() => (runningHere.length === 0 ? void signOut("here") : setAsking("here"))}
      >
        Sign out
      </Button>
      {asking !== null && (
        <ConfirmDialog
          title={asking === "here" ? "Sign out while something runs?" : "Sign out everywhere?"}
          confirmLabel={asking === "here" ? "Sign out" : "End all sessions"}
          busy={busy}
          onConfirm={() => void signOut(asking)}
          onClose={() => setAsking(null)}
        >
          {asking === "everywhere" &&
            "Every browser is signed out within a second, this one too, and each needs the wallet to sign in again. "}
          {affected.length > 0 && pausesText(affected)}
        </ConfirmDialog>
      )}
    </div>
  );
}
