"use client";

import { useState } from "react";
import { useSessionClient } from "wallet-session/react";
import { Button } from "../components/button.tsx";
import { ConfirmDialog } from "../components/dialog.tsx";
import { explain } from "../components/explain.ts";
import { useToast } from "../components/toast.tsx";
import type { Operation } from "../operations/operation-data.ts";
import { pausesText } from "../operations/operation-strip.tsx";
import { endOtherSessions } from "./session-data.tsx";

type Extent = "here" | "everywhere";

interface SignOutProps {
  /** What runs under this browser's session. */
  runningHere: readonly Operation[];
  /** What runs under any. */
  running: readonly Operation[];
}

/** Ends this browser's session, or all of them. Asks first if that affects more than this page. */
export function SignOut({ runningHere, running }: SignOutProps) {
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
