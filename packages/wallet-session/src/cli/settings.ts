import { readAccessTtl, readSecrets, readStoreSettings } from "../config/engine-settings.ts";
import { keptSecret } from "../config/made-secrets.ts";
import { Settings } from "../config/settings.ts";
import { isEmbedded } from "../databases/url.ts";
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
