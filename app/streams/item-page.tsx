import Link from "next/link";
import type { ReactNode } from "react";
import { SessionClientError } from "wallet-session/client";
import { Loading } from "../components/button.tsx";
import { EmptyState } from "../components/card.tsx";
import { LoadFailure } from "../components/load-failure.tsx";

interface ItemPageProps {
  kind: "stream" | "operation";
  title: string;
  /** Stands beside the title. */
  status?: ReactNode;
  error: unknown;
  reload: () => Promise<void>;
  /** Who sees such an item, for those who do not. */
  seenBy: string;
  /** Null until it is loaded. */
  children: ReactNode;
}

/** The page of one stream or operation, with a way back to the list. */
export function ItemPage({ kind, title, status, error, reload, seenBy, children }: ItemPageProps) {
  const isMissing = error instanceof SessionClientError && error.code === "not_found";
  return (
    <>
      <p className="text-sm">
        <Link
          href="/streams"
          prefetch={false}
          className="inline-flex min-h-11 items-center text-muted hover:text-ink"
        >
          <span aria-hidden="true">←&nbsp;</span>Your streams
        </Link>
      </p>
      <div className="mt-2 flex flex-wrap items-center gap-x-4 gap-y-2">
        <h1 className="min-w-0 text-3xl font-semibold tracking-tight break-words">
          {isMissing ? `No such ${kind}` : title}
        </h1>
        {!isMissing && status}
      </div>
      {isMissing ? (
        <div className="mt-6">
          <EmptyState title={`There is no ${kind} here that you may see`}>
            {seenBy} If it is yours, check which account you are signed in with.
          </EmptyState>
        </div>
      ) : (
        <>
          <LoadFailure error={error} onRetry={reload} />
          {children}
          {children === null && error === null && <Loading>Loading the {kind}…</Loading>}
        </>
      )}
    </>
  );
}
