"use client";

import { Button } from "./button.tsx";
import { Notice } from "./card.tsx";
import { explain } from "./explain.ts";

/** Why a load failed, with another try. Rendered from the start, so that screen readers announce it. */
export function LoadFailure({ error, onRetry }: { error: unknown; onRetry: () => Promise<void> }) {
  return (
    <div aria-live="polite" className="empty:hidden">
      {error !== null && (
        <div className="mt-6">
          <Notice look="notice">
            <div className="flex flex-wrap items-center justify-between gap-3">
              <p>{explain(error)}</p>
              <Button onClick={() => void onRetry()}>Try again</Button>
            </div>
          </Notice>
        </div>
      )}
    </div>
  );
}

const ROWS = ["w-2/5", "w-1/3", "w-1/2"];

/** Stands in place of a list that is loading. The label is for screen readers. */
export function SkeletonRows({ label }: { label: string }) {
  return (
    <div role="status" className="divide-y divide-line rounded-2xl border border-line bg-surface">
      <span className="sr-only">{label}</span>
      {ROWS.map((width) => (
        <div key={width} aria-hidden="true" className="px-6 py-5 motion-safe:animate-pulse">
          <div className={`h-4 rounded-full bg-sunken ${width}`} />
          <div className="mt-2.5 h-3 w-1/4 rounded-full bg-sunken" />
        </div>
      ))}
    </div>
  );
}
