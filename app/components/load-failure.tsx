"use client";

import { Button } from "./button.tsx";
import { explain } from "./explain.ts";
import { Notice } from "./notice.tsx";

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
