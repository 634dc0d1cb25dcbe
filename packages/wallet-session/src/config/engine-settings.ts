import { DATABASE_URL_DEFAULT, databaseUrl } from "../databases/url.ts";
import { ACCESS_TOKEN_TTL_MS } from "../limits.ts";
import { createKeyring } from "../tokens/secrets.ts";
import type { Settings } from "./settings.ts";
import { BadValue, duration, oneOf } from "./values.ts";

// What an engine is opened by, readable one by one: a command that looks into a store asks for no wallet's settings.

/** What a store is opened by. */
export function readStoreSettings(settings: Settings) {
  return {
    databaseUrl: settings.read("DATABASE_URL", DATABASE_URL_DEFAULT, databaseUrl),
    databaseMigrate: settings.read("DATABASE_MIGRATE", "on", (text) => oneOf(text, ["on", "off"]) === "on"),
    redisDurability: settings.read("REDIS_DURABILITY", "always", (text) =>
      oneOf(text, ["always", "everysec"]),
    ),
  };
}

export function readAccessTtl(settings: Settings): number | undefined {
  return settings.read("ACCESS_TOKEN_TTL", ACCESS_TOKEN_TTL_MS, duration);
}

/** @throws BadValue for secrets that cannot be used */
export function readSecrets(text: string): string[] {
  const secrets = text.split(",").map((secret) => secret.trim());
  try {
    createKeyring(secrets);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new BadValue(`is not usable: ${error.message}`);
  }
  return secrets;
}
