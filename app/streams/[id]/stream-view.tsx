"use client";

import { SessionClientError } from "wallet-session/client";
import { useAccount } from "../../components/account.tsx";
import { Address } from "../../components/address.tsx";
import { Card } from "../../components/card.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { LoadFailure } from "../../components/load-failure.tsx";
import { Loading } from "../../components/spinner.tsx";
import { StatusBadge } from "../../components/status-badge.tsx";
import { BackToStreams } from "../back-to-streams.tsx";
import { OffChainNote } from "../off-chain-note.tsx";
import type { StreamWithHistory } from "../stream-data.ts";
import { otherSide, STATUS_NAMES, STATUS_TONES, streamName } from "../stream-words.ts";
import { StreamActions } from "./stream-actions.tsx";
import { StreamAmounts } from "./stream-amounts.tsx";
import { StreamFlow } from "./stream-flow.tsx";
import { StreamHistory } from "./stream-history.tsx";
import { type OneStream, useStream } from "./use-stream.ts";

/** One payment stream: its state, its history, and what the person can do with it. */
export function StreamView({ id }: { id: string }) {
  const { actorId } = useAccount();
  const { data, error, ...rest } = useStream(id);
  const isOurs = data !== null && (data.sender === actorId || data.recipient === actorId);
  const isMissing = error instanceof SessionClientError && error.code === "not_found";

  return (
    <>
      <BackToStreams />
      {isMissing ? (
        <>
          <h1 className="mt-2 text-3xl font-semibold tracking-tight">No such stream</h1>
          <div className="mt-6">
            <EmptyState title="There is no stream here that you may see">
              Only its sender and its recipient see a stream. If it is yours, check which account you are
              signed in with.
            </EmptyState>
          </div>
        </>
      ) : isOurs ? (
        <Loaded stream={data} error={error} {...rest} />
      ) : (
        <>
          <h1 className="mt-2 text-3xl font-semibold tracking-tight">Stream</h1>
          <LoadFailure error={error} onRetry={rest.reload} />
          {error === null && <Loading>Loading the stream…</Loading>}
        </>
      )}
    </>
  );
}

interface LoadedProps extends Omit<OneStream, "data"> {
  stream: StreamWithHistory;
}

function Loaded({ stream, error, reload, accept, foresee }: LoadedProps) {
  return (
    <>
      <div className="mt-2 flex flex-wrap items-center gap-x-4 gap-y-2">
        <h1 className="min-w-0 text-3xl font-semibold tracking-tight break-words">{streamName(stream)}</h1>
        <p role="status">
          <StatusBadge tone={STATUS_TONES[stream.status]}>{STATUS_NAMES[stream.status]}</StatusBadge>
        </p>
      </div>
      {stream.title !== null && <p className="mt-1 text-muted">{otherSide(stream)}</p>}
      <LoadFailure error={error} onRetry={reload} />
      <div className="mt-8 grid items-start gap-6 lg:grid-cols-[1.6fr_1fr]">
        <div className="grid min-w-0 gap-6">
          <StreamFlow stream={stream} />
          <StreamHistory stream={stream} />
        </div>
        <div className="grid min-w-0 gap-6">
          <StreamActions stream={stream} accept={accept} foresee={foresee} reload={reload} />
          <StreamAmounts stream={stream} />
          <Parties stream={stream} />
        </div>
      </div>
    </>
  );
}

function Parties({ stream }: { stream: StreamWithHistory }) {
  const sending = stream.role === "sender";
  return (
    <Card labelledBy="parties">
      <h2 id="parties" className="text-lg font-semibold tracking-tight">
        {sending ? "You pay" : "You are paid by"}
      </h2>
      <div className="mt-1">
        <Address address={sending ? stream.recipient : stream.sender} />
      </div>
      <div className="mt-5 border-t border-line pt-5">
        <OffChainNote />
      </div>
    </Card>
  );
}
