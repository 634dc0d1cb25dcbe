import { existsSync } from "node:fs";
import { readAccessTtl, readSecrets, readStoreSettings } from "../config/config.ts";
import { keptSecret } from "../config/made-secrets.ts";
import { Settings } from "../config/settings.ts";
import { isEmbedded } from "../databases/url.ts";
import { guardStore } from "../engine/guarded-store.ts";
import { openStore } from "../server/open-store.ts";
import type { SessionStore } from "../store.ts";
import { CommandError } from "./command.ts";
import type { Terminal } from "./terminal.ts";

// A command reads the settings that it needs and no other: who ends a session needs no signing seed.

/** What the store is opened by. @throws ConfigError */
export function storeSettings({ env }: Terminal) {
  const settings = new Settings(env);
  return settings.complete(readStoreSettings(settings));
}

/** @throws ConfigError */
export function accessTtlMs({ env }: Terminal): number {
  const settings = new Settings(env);
  return settings.complete({ accessTtlMs: readAccessTtl(settings) }).accessTtlMs;
}

/** AUTH_SECRET, or in development the one that a server has made and kept for its embedded store. @throws ConfigError */
export function authSecrets({ env }: Terminal): readonly string[] {
  const settings = new Settings(env);
  const { databaseUrl } = readStoreSettings(settings);
  const made =
    databaseUrl !== undefined && isEmbedded(databaseUrl) ? keptSecret("data", "auth-secret") : null;
  const text = settings.optional("AUTH_SECRET") ?? made ?? undefined;
  if (text === undefined) {
    settings.complain("AUTH_SECRET is needed, as the servers have it: it opens the signing keys");
  }
  return settings.complete({ secrets: settings.check("AUTH_SECRET", text, readSecrets) }).secrets;
}

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
