"use client";

import { useEffect, useRef } from "react";
import { useSessionClient } from "wallet-session/react";
import { commandOperation } from "./operation-data.ts";
import { useOperations } from "./use-operations.ts";

/**
 * Lets go on what ran under a session that has just been replaced by a newer one of the same account: the signature that
 * the server waits for has been given. What fails here is left paused, with its page saying how to go on.
 */
export function ResumeReplaced({ sessionId }: { sessionId: string }) {
  const client = useSessionClient();
  const { data } = useOperations();
  const asked = useRef(new Set<string>());

  useEffect(() => {
    for (const { id, status, session_id: grantedBy } of data ?? []) {
      if (status !== "paused" || grantedBy !== sessionId || asked.current.has(id)) continue;
      asked.current.add(id);
      commandOperation(client, id, "resume").catch(() => {});
    }
  }, [client, data, sessionId]);

  return null;
}
