import { randomBytes } from "node:crypto";
import { DEVICE_BINDINGS, type DeviceBinding } from "../bindings/device-binding.ts";
import { DATABASE_URL_DEFAULT, type DatabaseUrl, databaseUrl, isEmbedded } from "../databases/url.ts";
import type { IntrospectionClient } from "../http/endpoints/introspect.ts";
import {
  ACCESS_TOKEN_TTL_MS,
  DEVICE_BINDING_ACCESS_TTL_MIN_MS,
  REFRESH_ABSOLUTE_TTL_MS,
  REFRESH_IDLE_TTL_MS,
  REFRESH_LEEWAY_MAX_SHARE,
  REFRESH_LEEWAY_MS,
  SHUTDOWN_TIMEOUT_MS,
} from "../limits.ts";
import { createKeyring } from "../tokens/secrets.ts";
import { isSeed, randomSeed } from "../wallets/stellar/ed25519.ts";
import { readAddress } from "./address.ts";
import { makeAuthSecret, type SecretSource } from "./made-secrets.ts";
import { Settings } from "./settings.ts";
import {
  BadValue,
  baseUrl,
  bearerSecret,
  duration,
  hostName,
  integer,
  introspectionClients,
  oneOf,
  webhookSecrets,
  webhookUrl,
} from "./values.ts";

/** The settings of a server, checked. Durations in milliseconds. */
export interface Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  readonly databaseUrl: DatabaseUrl;
  /** Whether a process may bring the schema of a PostgreSQL database up to date. */
  readonly databaseMigrate: boolean;
  /** Whether a rotation waits until it is on Redis's disk. */
  readonly redisDurability: "always" | "everysec";
  readonly authSecrets: readonly string[];
  readonly publicUrl: URL;
  /** Whose pages may use cookies, besides its own. */
  readonly trustedOrigins: readonly string[];
  /** Where the auth endpoints are, as browsers see it. */
  readonly authBasePath: string;
  /** A part of the names of the cookies. */
  readonly cookieName: string;
  readonly homeDomain: string;
  readonly stellarSigningSeed: string;
  readonly stellarNetworkPassphrase: string;
  /** Null: accounts sign with their master key alone. */
  readonly horizonUrl: URL | null;
  readonly accessTtlMs: number;
  readonly refreshIdleTtlMs: number;
  readonly refreshAbsoluteTtlMs: number;
  readonly refreshLeewayMs: number;
  readonly trustedProxies: number;
  readonly rateLimit: boolean;
  /** Whether browsers are asked to bind cookie sessions to a device key. */
  readonly deviceBinding: DeviceBinding;
  readonly logLevel: LogLevel;
  /** How long a process that was told to stop has for what is being answered. */
  readonly shutdownTimeoutMs: number;
  /** Null: `/api/metrics` is not there. */
  readonly metricsToken: string | null;
  /** Null: security events are not sent anywhere. */
  readonly securityWebhook: { readonly url: URL; readonly secrets: readonly string[] } | null;
  /** Empty: nobody may introspect tokens. */
  readonly introspectionClients: readonly IntrospectionClient[];
}

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Reads the settings from an environment. In development (no `NODE_ENV=production`) and with an embedded store, secrets
 * that are not given come from `made`, and are made on the first start.
 * @throws ConfigError naming every setting that is bad or missing
 *
 * @example
 * ```ts
 * import { madeSecrets, readConfig } from "wallet-session/server";
 *
 * export const { publicUrl, port } = readConfig(process.env, madeSecrets("data"));
 * ```
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>, made: SecretSource): Config {
  const settings = new Settings(env);
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 22 || (major === 22 && minor < 13)) {
    settings.complain(`Node must be 22.13 or newer, and this is ${process.versions.node}`);
  }
  const { production, port, publicUrl, trustedOrigins, authBasePath, cookieName } = readAddress(settings);
  const accessTtlMs = readAccessTtl(settings);
  const leewayMost = Math.floor((accessTtlMs ?? ACCESS_TOKEN_TTL_MS) * REFRESH_LEEWAY_MAX_SHARE);
  const store = readStoreSettings(settings);
  const needed = whySecretsAreNeeded(production, store.databaseUrl);
  const secret = <T>(name: string, file: string, make: () => string, parse: (text: string) => T) => {
    const text =
      needed === null ? (settings.optional(name) ?? made.read(file, make)) : settings.required(name, needed);
    return settings.check(name, text, parse);
  };

  const config = {
    production,
    host: settings.read("HOST", "127.0.0.1", (text) => text),
    port,
    ...store,
    authSecrets: secret("AUTH_SECRET", "auth-secret", makeAuthSecret, readSecrets),
    publicUrl,
    trustedOrigins,
    authBasePath,
    cookieName,
    homeDomain: readHomeDomain(settings, publicUrl),
    stellarSigningSeed: secret("STELLAR_SIGNING_SEED", "stellar-signing-seed", makeSeed, readSeed),
    stellarNetworkPassphrase: settings.read(
      "STELLAR_NETWORK_PASSPHRASE",
      "Test SDF Network ; September 2015",
      (text) => text,
    ),
    horizonUrl: settings.check(
      "HORIZON_URL",
      production
        ? settings.required("HORIZON_URL", "in production (or none, so that only master keys sign)")
        : (settings.optional("HORIZON_URL") ?? "none"),
      (text) => (text === "none" ? null : baseUrl(text)),
    ),
    accessTtlMs,
    refreshIdleTtlMs: settings.read("REFRESH_IDLE_TTL", REFRESH_IDLE_TTL_MS, duration),
    refreshAbsoluteTtlMs: settings.read("REFRESH_ABSOLUTE_TTL", REFRESH_ABSOLUTE_TTL_MS, duration),
    refreshLeewayMs: settings.read("REFRESH_LEEWAY", Math.min(REFRESH_LEEWAY_MS, leewayMost), (text) => {
      const leeway = duration(text);
      if (leeway > leewayMost)
        throw new BadValue(`must be at most a quarter of ACCESS_TOKEN_TTL (${leewayMost / 1000}s)`);
      return leeway;
    }),
    trustedProxies: settings.read("TRUSTED_PROXIES", "0", (text) => integer(text, 0, 16)),
    rateLimit: settings.read("RATE_LIMIT", "on", isOn),
    deviceBinding: settings.read("DEVICE_BINDING", bindingByDefault(accessTtlMs), (text) =>
      oneOf(text, DEVICE_BINDINGS),
    ),
    logLevel: settings.read("LOG_LEVEL", "info", (text) => oneOf(text, LOG_LEVELS)),
    shutdownTimeoutMs: settings.read("SHUTDOWN_TIMEOUT", SHUTDOWN_TIMEOUT_MS, duration),
    metricsToken: settings.read<string | null>("METRICS_TOKEN", null, bearerSecret),
    securityWebhook: readSecurityWebhook(settings),
    introspectionClients: settings.read<IntrospectionClient[]>(
      "INTROSPECTION_CLIENTS",
      [],
      introspectionClients,
    ),
  };
  return settings.complete(config);
}

/** Short tokens would use up the signatures that browsers may make. */
function bindingByDefault(accessTtlMs: number = ACCESS_TOKEN_TTL_MS): DeviceBinding {
  return accessTtlMs < DEVICE_BINDING_ACCESS_TTL_MIN_MS ? "off" : "offer";
}

/** Null: they may be made. Each machine would make its own, and refuse what the others have signed. */
function whySecretsAreNeeded(production: boolean, databaseUrl: DatabaseUrl | undefined): string | null {
  if (production) return "in production";
  return databaseUrl === undefined || isEmbedded(databaseUrl) ? null : "with a database that servers share";
}

function readHomeDomain(settings: Settings, publicUrl: URL | undefined): string | undefined {
  const given = settings.optional("HOME_DOMAIN");
  if (given !== undefined) return settings.check("HOME_DOMAIN", given, hostName);
  return settings.check("PUBLIC_URL", publicUrl?.host, (host) => {
    try {
      return hostName(host);
    } catch {
      throw new BadValue("has a host that SEP-10 cannot name: set HOME_DOMAIN as well");
    }
  });
}

function readSecurityWebhook(settings: Settings): Config["securityWebhook"] {
  const url = settings.read<URL | null>("SECURITY_WEBHOOK_URL", null, webhookUrl);
  const secrets = settings.read<readonly string[] | null>("SECURITY_WEBHOOK_SECRET", null, webhookSecrets);
  if (url && secrets === null)
    settings.complain("SECURITY_WEBHOOK_SECRET is required with SECURITY_WEBHOOK_URL");
  if (secrets && url === null)
    settings.complain("SECURITY_WEBHOOK_URL is required with SECURITY_WEBHOOK_SECRET");
  return url && secrets ? { url, secrets } : null;
}

function isOn(text: string): boolean {
  return oneOf(text, ["on", "off"]) === "on";
}

function makeSeed(): string {
  return randomSeed(randomBytes);
}

function readSeed(text: string): string {
  if (!isSeed(text)) throw new BadValue("must be a Stellar secret seed (S…)");
  return text;
}

// What an engine is opened by, readable one by one: a command that looks into a store asks for no wallet's settings.

/** What a store is opened by. */
export function readStoreSettings(settings: Settings) {
  const module = settings.optional("STORE_MODULE");
  return {
    databaseUrl: settings.read("DATABASE_URL", DATABASE_URL_DEFAULT, (text) => databaseUrl(text, module)),
    databaseMigrate: settings.read("DATABASE_MIGRATE", "on", isOn),
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
