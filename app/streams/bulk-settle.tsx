"use client";

import { useRouter } from "next/navigation";
import { useState } from "react";
import { useSessionClient } from "wallet-session/react";
import { Button } from "../components/button.tsx";
import { explain } from "../components/explain.ts";
import { useToast } from "../components/toast.tsx";
import { settleStreams } from "../operations/operation-data.ts";
import type { Stream } from "./stream-data.ts";

interface BulkSettleProps {
  selected: readonly Stream[];
  /** How many there are in all that could be settled. */
  settleable: number;
}

/** Settles many streams at once, as an operation that goes on without this page. */
export function BulkSettle({ selected, settleable }: BulkSettleProps) {
  const client = useSessionClient();
  const router = useRouter();
  const toast = useToast();
  const [busy, setBusy] = useState(false);

  async function settle() {
    setBusy(true);
    try {
      const ids = selected.length === 0 ? "all" : selected.map(({ id }) => id);
      const { id } = await settleStreams(client, ids);
      router.push(`/operations/${id}`);
    } catch (error) {
      toast(`Nothing was settled. ${explain(error)}`);
      setBusy(false);
    }
  }

  if (settleable === 0) return null;
  return (
    <Button busy={busy} onClick={() => void settle()}>
      {selected.length === 0 ? "Settle all" : `Settle ${selected.length} selected`}
    </Button>
  );
}
