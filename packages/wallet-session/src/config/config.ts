import { Keypair, StrKey } from "@stellar/stellar-sdk/base";
import {
  ACCESS_TOKEN_TTL_MS,
  REFRESH_ABSOLUTE_TTL_MS,
  REFRESH_IDLE_TTL_MS,
  REFRESH_LEEWAY_MAX_SHARE,
  REFRESH_LEEWAY_MS,
} from "../limits.ts";
import { createKeyring } from "../tokens/secrets.ts";
import { makeAuthSecret, type SecretSource } from "./made-secrets.ts";
import { BadValue, baseUrl, duration, hostName, integer, isLoopback, oneOf, origin } from "./values.ts";

export type DatabaseUrl = { readonly kind: "memory" } | { readonly kind: "sqlite"; readonly path: string };

/** The settings of a server, checked. Durations in milliseconds. */
export interface Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  readonly databaseUrl: DatabaseUrl;
  readonly authSecrets: readonly string[];
  readonly publicUrl: URL;
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
  readonly logLevel: LogLevel;
}

const MODES = ["production", "development"] as const;
const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Settings that cannot be used. The message has a line for each, with its name and what is expected; never a secret. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The settings cannot be used:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.problems = problems;
  }
}

/**
 * Reads the settings from an environment. In development (no `NODE_ENV=production`) secrets that are not given come from
 * `made`, and are made on the first start.
 * @throws ConfigError naming every setting that is bad or missing
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>, made: SecretSource): Config {
  const settings = new Settings(env);
  // WALLET_SESSION_MODE: a framework may set NODE_ENV by itself, whatever the operator meant.
  const byFramework = settings.optional("NODE_ENV") === "production" ? "production" : "development";
  const mode = settings.read("WALLET_SESSION_MODE", byFramework, (text) => oneOf(text, MODES));
  const production = mode === "production";
  const port = settings.read("PORT", "3000", (text) => integer(text, 1, 65_535));
  const publicUrl = settings.read("PUBLIC_URL", `http://localhost:${port ?? 3000}`, (text) => {
    const url = origin(text);
    if (production && url.protocol === "http:" && !isLoopback(url)) {
      throw new BadValue("must be https in production: browsers keep Secure cookies from plain http");
    }
    return url;
  });
  const accessTtlMs = settings.read("ACCESS_TOKEN_TTL", ACCESS_TOKEN_TTL_MS, duration);
  const leewayMost = Math.floor((accessTtlMs ?? ACCESS_TOKEN_TTL_MS) * REFRESH_LEEWAY_MAX_SHARE);
  const secret = (name: string, file: string, make: () => string) =>
    production ? settings.required(name) : (settings.optional(name) ?? made.read(file, make));

  const config = {
    production,
    host: settings.read("HOST", "127.0.0.1", (text) => text),
    port,
    databaseUrl: settings.read("DATABASE_URL", "sqlite:./data/wallet-session.db", readDatabaseUrl),
    authSecrets: settings.check(
      "AUTH_SECRET",
      secret("AUTH_SECRET", "auth-secret", makeAuthSecret),
      readSecrets,
    ),
    publicUrl,
    homeDomain: settings.read("HOME_DOMAIN", publicUrl?.host ?? "localhost", hostName),
    stellarSigningSeed: settings.check(
      "STELLAR_SIGNING_SEED",
      secret("STELLAR_SIGNING_SEED", "stellar-signing-seed", () => Keypair.random().secret()),
      readSeed,
    ),
    stellarNetworkPassphrase: settings.read(
      "STELLAR_NETWORK_PASSPHRASE",
      "Test SDF Network ; September 2015",
      (text) => text,
    ),
    horizonUrl: settings.check(
      "HORIZON_URL",
      production
        ? settings.required("HORIZON_URL", "or none, so that only master keys sign")
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
    rateLimit: settings.read("RATE_LIMIT", "on", (text) => oneOf(text, ["on", "off"]) === "on"),
    logLevel: settings.read("LOG_LEVEL", "info", (text) => oneOf(text, LOG_LEVELS)),
  };
  return settings.complete(config);
}

/** Collects every problem, so that one start tells all of them. */
class Settings {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #problems: string[] = [];

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  /** An empty value counts as not given. */
  optional(name: string): string | undefined {
    return this.#env[name]?.trim() || undefined;
  }

  required(name: string, hint?: string): string | undefined {
    const text = this.optional(name);
    if (text === undefined) {
      this.#problems.push(`${name} is required in production${hint === undefined ? "" : ` (${hint})`}`);
    }
    return text;
  }

  /** A default that is text is read like a given value; any other is taken as it is. */
  read<T>(name: string, byDefault: NoInfer<T> | string, parse: (text: string) => T): T | undefined {
    const text = this.optional(name);
    if (text === undefined && typeof byDefault !== "string") return byDefault;
    return this.check(name, text ?? String(byDefault), parse);
  }

  check<T>(name: string, text: string | undefined, parse: (text: string) => T): T | undefined {
    if (text === undefined) return undefined;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      this.#problems.push(`${name} ${error.message}`);
      return undefined;
    }
  }

  complete<T extends object>(config: T): { [K in keyof T]: Exclude<T[K], undefined> } {
    if (this.#problems.length > 0) throw new ConfigError(this.#problems);
    return config as { [K in keyof T]: Exclude<T[K], undefined> };
  }
}

function readDatabaseUrl(text: string): DatabaseUrl {
  if (text === "memory:") return { kind: "memory" };
  const path = text.startsWith("sqlite:") ? text.slice("sqlite:".length) : "";
  if (path !== "" && !path.startsWith(":")) return { kind: "sqlite", path };
  throw new BadValue("must be memory: or sqlite:PATH");
}

function readSecrets(text: string): string[] {
  const secrets = text.split(",").map((secret) => secret.trim());
  try {
    createKeyring(secrets);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new BadValue(`is not usable: ${error.message}`);
  }
  return secrets;
}

function readSeed(text: string): string {
  if (!StrKey.isValidEd25519SecretSeed(text)) throw new BadValue("must be a Stellar secret seed (S…)");
  return text;
}
