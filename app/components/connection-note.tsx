"use client";

import { useEffect, useState } from "react";
import { useFeedStatus } from "wallet-session/react";

/** Shorter gaps are not shown: a page load or a tunnel begins with one. */
const GRACE_MS = 2_500;

/** Says when the page may be out of date. Nothing is lost: it catches up by itself. */
export function ConnectionNote() {
  const status = useFeedStatus();
  const away = status === "waiting" || status === "connecting";
  const [shown, setShown] = useState(false);

  useEffect(() => {
    if (!away) {
      setShown(false);
      return;
    }
    const timer = setTimeout(() => setShown(true), GRACE_MS);
    return () => clearTimeout(timer);
  }, [away]);

  return (
    <p role="status" className="text-xs text-muted empty:hidden">
      {shown && (
        <span className="inline-flex items-center gap-1.5">
          <span aria-hidden="true" className="size-2 rounded-full border border-notice bg-notice-wash" />
          Reconnecting…
        </span>
      )}
    </p>
  );
}
