import { existsSync } from "node:fs";
import { guardStore } from "../engine/guarded-store.ts";
import { openStore } from "../server/open-store.ts";
import type { SessionStore } from "../store.ts";
import { CommandError } from "./command.ts";
import { storeSettings } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Opens the store that DATABASE_URL names for as long as the work takes. Starts no timers, and migrates no PostgreSQL.
 * @throws ConfigError, CommandError for a store in memory and for a missing file, SessionError store_unavailable out of each step
 */
export async function withStore<T>(
  terminal: Terminal,
  work: (store: SessionStore) => Promise<T>,
): Promise<T> {
  const { databaseUrl, ...settings } = storeSettings(terminal);
  if (databaseUrl.kind === "memory") {
    throw new CommandError(
      "DATABASE_URL is memory: - those sessions live within the server's own process, and this is another one.",
    );
  }
  if (databaseUrl.kind === "sqlite" && !existsSync(databaseUrl.path)) {
    // Opening would make an empty one, in which nobody has a session.
    throw new CommandError(
      `There is no database at ${databaseUrl.path}. Set DATABASE_URL to the servers' own, or run this where they run.`,
    );
  }
  const onWarning = (warning: string) => terminal.note(`Warning: ${warning}`);
  const store = guardStore(
    openStore(databaseUrl, { ...settings, databaseMigrate: false, onWarning }),
    () => {},
  );
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
