import type { SessionStore } from "wallet-session";
import type { DatabaseUrl } from "wallet-session/config";
import { createMemoryStore } from "wallet-session/stores/memory";
import { openSqliteStore } from "wallet-session/stores/sqlite";

/**
 * Opens the store that `DATABASE_URL` names: the sessions, keyed by actor id, and the log of revocations that every
 * process follows. The memory store forgets everything when the process ends.
 */
export function openStore(url: DatabaseUrl): SessionStore {
  switch (url.kind) {
    case "memory":
      return createMemoryStore();
    case "sqlite":
      return openSqliteStore({ path: url.path });
  }
}
