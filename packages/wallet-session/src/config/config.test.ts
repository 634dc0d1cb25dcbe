import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Keypair } from "@stellar/stellar-sdk/base";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { readConfig } from "./config.ts";
import { madeSecrets, makeAuthSecret, type SecretSource } from "./made-secrets.ts";
import { ConfigError } from "./settings.ts";

const SEED = Keypair.random().secret();
const SECRET = "a secret of the tests that is long enough to be one";
const GIVEN = { AUTH_SECRET: SECRET, STELLAR_SIGNING_SEED: SEED };
const NOTHING_MADE: SecretSource = {
  read() {
    throw new Error("nothing may be made here");
  },
};

function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    readConfig(env, NOTHING_MADE);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test("the documented defaults", () => {
  const { authSecrets, stellarSigningSeed, publicUrl, ...rest } = readConfig(GIVEN, NOTHING_MADE);
  expect(authSecrets).toEqual([SECRET]);
  expect(stellarSigningSeed).toBe(SEED);
  expect(publicUrl.origin).toBe("http://localhost:3000");
  expect(rest).toEqual({
    production: false,
    trustedOrigins: [],
    authBasePath: "/api/auth",
    cookieName: "ws3000",
    host: "127.0.0.1",
    port: 3000,
    databaseUrl: { kind: "sqlite", path: "./data/wallet-session.db" },
    databaseMigrate: true,
    redisDurability: "always",
    homeDomain: "localhost:3000",
    stellarNetworkPassphrase: "Test SDF Network ; September 2015",
    horizonUrl: null,
    accessTtlMs: 900_000,
    refreshIdleTtlMs: 604_800_000,
    refreshAbsoluteTtlMs: 2_592_000_000,
    refreshLeewayMs: 30_000,
    trustedProxies: 0,
    rateLimit: true,
    deviceBinding: "offer",
    logLevel: "info",
    shutdownTimeoutMs: 10_000,
    metricsToken: null,
    securityWebhook: null,
    introspectionClients: [],
  });
});

test("trusted origins are those of one site, each in its one spelling", () => {
  const env = {
    ...GIVEN,
    PUBLIC_URL: "https://api.example.com",
    TRUSTED_ORIGINS: "https://App.example.com:443/ , https://desk.example.com:8443",
  };
  expect(readConfig(env, NOTHING_MADE).trustedOrigins).toEqual([
    "https://app.example.com",
    "https://desk.example.com:8443",
  ]);
});

test("who may introspect: ids and secrets, in which a colon may be", () => {
  const INTROSPECTION_CLIENTS = "boats: a secret: 100% & + , api:the-secret-of-the-api";
  expect(readConfig({ ...GIVEN, INTROSPECTION_CLIENTS }, NOTHING_MADE).introspectionClients).toEqual([
    { id: "boats", secret: " a secret: 100% & +" },
    { id: "api", secret: "the-secret-of-the-api" },
  ]);
});

const WEBHOOK_SECRET = `whsec_${Buffer.alloc(24, 1).toString("base64")}`;

test("where security events go: https, or this machine, and the secrets that sign", () => {
  const read = (url: string, secret = WEBHOOK_SECRET) =>
    readConfig({ ...GIVEN, SECURITY_WEBHOOK_URL: url, SECURITY_WEBHOOK_SECRET: secret }, NOTHING_MADE)
      .securityWebhook;
  const url = "https://hooks.example.com/in?tenant=7";
  expect(read(url)).toEqual({ url: new URL(url), secrets: [WEBHOOK_SECRET] });
  const next = `whsec_${Buffer.alloc(64, 2).toString("base64")}`;
  expect(read("http://localhost:9000/in", `${next}, ${WEBHOOK_SECRET}`)).toMatchObject({
    secrets: [next, WEBHOOK_SECRET],
  });
});

test("neither of the two settings of the webhook goes without the other", () => {
  const url = { SECURITY_WEBHOOK_URL: "https://hooks.example.com/in" };
  const secret = { SECURITY_WEBHOOK_SECRET: WEBHOOK_SECRET };
  expect(problemsOf({ ...GIVEN, ...url })).toEqual([
    "SECURITY_WEBHOOK_SECRET is required with SECURITY_WEBHOOK_URL",
  ]);
  expect(problemsOf({ ...GIVEN, ...secret })).toEqual([
    "SECURITY_WEBHOOK_URL is required with SECURITY_WEBHOOK_SECRET",
  ]);
});

test("what is given is taken", () => {
  const config = readConfig(
    {
      NODE_ENV: "production",
      PORT: "8443",
      HOST: "0.0.0.0",
      DATABASE_URL: "memory:",
      AUTH_SECRET: `${SECRET}, ${SECRET}-older`,
      PUBLIC_URL: "https://pay.example.com",
      HOME_DOMAIN: "example.com",
      STELLAR_SIGNING_SEED: SEED,
      STELLAR_NETWORK_PASSPHRASE: "Public Global Stellar Network ; September 2015",
      HORIZON_URL: "https://horizon.example.com/base",
      ACCESS_TOKEN_TTL: "20s",
      REFRESH_IDLE_TTL: "12h",
      REFRESH_ABSOLUTE_TTL: "2d",
      REFRESH_LEEWAY: "3s",
      TRUSTED_PROXIES: "2",
      RATE_LIMIT: "off",
      LOG_LEVEL: "warn",
    },
    NOTHING_MADE,
  );
  expect(config).toMatchObject({
    production: true,
    databaseUrl: { kind: "memory" },
    authSecrets: [SECRET, `${SECRET}-older`],
    homeDomain: "example.com",
    accessTtlMs: 20_000,
    refreshIdleTtlMs: 43_200_000,
    refreshLeewayMs: 3_000,
    trustedProxies: 2,
    rateLimit: false,
  });
  expect(config.horizonUrl?.href).toBe("https://horizon.example.com/base");
});

test.each(["postgres", "postgresql"])("%s:// names a PostgreSQL, taken as it stands", (scheme) => {
  const url = `${scheme}://someone:hunter2@db.example.com:5433/pay?sslmode=verify-full`;
  expect(readConfig({ ...GIVEN, DATABASE_URL: url }, NOTHING_MADE).databaseUrl).toEqual({
    kind: "postgres",
    url,
  });
});

test.each([
  "//data/x.db",
  "///data/x.db",
  "~/x.db",
  "x.db?mode=ro",
  "x.db#1",
  "$HOME/x.db",
  '"x.db"',
  " x.db",
  "file:x.db",
  ":memory:",
])("sqlite:%s is refused, with what to write: other programs take it for another file", (path) => {
  expect(() => readConfig({ ...GIVEN, DATABASE_URL: `sqlite:${path}` }, NOTHING_MADE)).toThrow(
    "DATABASE_URL must name a file by its plain path, such as sqlite:data/sessions.db or sqlite:/var/lib/sessions.db",
  );
});

test.each(["data/x.db", "./data/x.db", "../x.db", "/var/lib/x y~.db"])("sqlite:%s is that file", (path) => {
  const { databaseUrl } = readConfig({ ...GIVEN, DATABASE_URL: `sqlite:${path}` }, NOTHING_MADE);
  expect(databaseUrl).toEqual({ kind: "sqlite", path });
});

test("a setting with our prefix goes before the one that an app has for itself", () => {
  const app = { ...GIVEN, DATABASE_URL: "mysql://app:hunter2@localhost/app", HORIZON_URL: "of the app" };
  const ours = { WALLET_SESSION_DATABASE_URL: "memory:", WALLET_SESSION_HORIZON_URL: "none" };
  const { databaseUrl, horizonUrl } = readConfig({ ...app, ...ours }, NOTHING_MADE);
  expect([databaseUrl, horizonUrl]).toEqual([{ kind: "memory" }, null]);
  expect(() => readConfig({ ...app, ...ours, WALLET_SESSION_PORT: "none" }, NOTHING_MADE)).toThrow(
    "  WALLET_SESSION_PORT must be a whole number",
  );
});

test("another scheme is for the module that STORE_MODULE names, and ours stay ours", () => {
  const of = (url: string) =>
    readConfig({ ...GIVEN, DATABASE_URL: url, STORE_MODULE: "./store.ts" }, NOTHING_MADE).databaseUrl;
  const url = "mysql://localhost/x";
  expect(of(url)).toEqual({ kind: "custom", module: "./store.ts", url });
  expect(of("memory:")).toEqual({ kind: "memory" });
  expect(() => of("sqlite:")).toThrow("DATABASE_URL must be");
  expect(() => of("no scheme")).toThrow("DATABASE_URL must be");
});

test.each([
  ["20.20.2", "Node must be 22.13 or newer, and this is 20.20.2"],
  ["22.12.0", "Node must be 22.13 or newer"],
])("Node %s is refused by name, whatever the store", (node, why) => {
  vi.stubGlobal("process", { ...process, versions: { ...process.versions, node } });
  onTestFinished(() => void vi.unstubAllGlobals());
  expect(() => readConfig(GIVEN, NOTHING_MADE)).toThrow(why);
});

test("a process may be told to leave the schema of its database alone", () => {
  expect(readConfig(GIVEN, NOTHING_MADE).databaseMigrate).toBe(true);
  expect(readConfig({ ...GIVEN, DATABASE_MIGRATE: "off" }, NOTHING_MADE).databaseMigrate).toBe(false);
});

test.each(["redis", "rediss"])("%s:// names a Redis, taken as it stands", (scheme) => {
  const url = `${scheme}://someone:hunter2@cache.example.com:6380/2`;
  const config = readConfig({ ...GIVEN, DATABASE_URL: url, REDIS_DURABILITY: "everysec" }, NOTHING_MADE);
  expect(config.databaseUrl).toEqual({ kind: "redis", url });
  expect(config.redisDurability).toBe("everysec");
  expect(readConfig(GIVEN, NOTHING_MADE).redisDurability).toBe("always");
});

test("device keys are offered where browsers can make enough signatures, unless it is said", () => {
  const bindingOf = (env: Record<string, string>) =>
    readConfig({ ...GIVEN, ...env }, NOTHING_MADE).deviceBinding;
  expect(bindingOf({ ACCESS_TOKEN_TTL: "5m" })).toBe("offer");
  expect(bindingOf({ ACCESS_TOKEN_TTL: "299s" })).toBe("off");
  expect(bindingOf({ ACCESS_TOKEN_TTL: "20s", DEVICE_BINDING: "offer" })).toBe("offer");
  expect(bindingOf({ DEVICE_BINDING: "require" })).toBe("require");
  expect(() => bindingOf({ DEVICE_BINDING: "on" })).toThrow(
    "DEVICE_BINDING must be one of: off, offer, require",
  );
});

test("the leeway follows short access tokens when it is not given", () => {
  expect(readConfig({ ...GIVEN, ACCESS_TOKEN_TTL: "20s" }, NOTHING_MADE).refreshLeewayMs).toBe(5_000);
});

describe("a bad value is named, with what is expected, and never repeated where it is secret", () => {
  test.each([
    ["PORT", "0"],
    ["PORT", "65536"],
    ["PORT", "http"],
    ["PORT", "3e3"],
    ["DATABASE_URL", "mysql://localhost/x"],
    ["DATABASE_URL", "sqlite:"],
    ["DATABASE_URL", "postgres://"],
    ["DATABASE_URL", "postgres://someone:hunter2@[/x"],
    ["DATABASE_URL", "redis://"],
    ["DATABASE_URL", "redis://someone:hunter2@[/x"],
    ["REDIS_DURABILITY", "no"],
    ["DATABASE_MIGRATE", "no"],
    ["DATABASE_URL", "sqlite::memory:"],
    ["AUTH_SECRET", "too short"],
    ["AUTH_SECRET", `${SECRET},`],
    ["AUTH_SECRET", `${SECRET},${SECRET}`],
    ["TRUSTED_ORIGINS", "app.example.com"],
    ["TRUSTED_ORIGINS", "null"],
    ["TRUSTED_ORIGINS", "http://localhost:1,"],
    ["TRUSTED_ORIGINS", "http://localhost:1/app"],
    ["TRUSTED_ORIGINS", "https://localhost:1"],
    ["TRUSTED_ORIGINS", "http://127.0.0.1:1"],
    ["TRUSTED_ORIGINS", "http://*.localhost"],
    ["TRUSTED_ORIGINS", "http://app.example.com"],
    ["AUTH_BASE_PATH", "api/auth"],
    ["AUTH_BASE_PATH", "/api/auth/"],
    ["AUTH_BASE_PATH", "/api/../auth"],
    ["AUTH_BASE_PATH", "https://pay.example.com/auth"],
    ["AUTH_BASE_PATH", `/${"a".repeat(128)}`],
    ["PUBLIC_URL", "pay.example.com"],
    ["PUBLIC_URL", "ftp://pay.example.com"],
    ["PUBLIC_URL", "https://pay.example.com/app"],
    ["PUBLIC_URL", "https://user:pass@pay.example.com"],
    ["HOME_DOMAIN", "https://example.com"],
    ["HOME_DOMAIN", "exa mple.com"],
    ["HOME_DOMAIN", `${"a".repeat(56)}.com`],
    ["STELLAR_SIGNING_SEED", Keypair.random().publicKey()],
    ["STELLAR_SIGNING_SEED", `${SEED}A`],
    ["HORIZON_URL", "nowhere"],
    ["HORIZON_URL", "https://horizon.example.com/?key=1"],
    ["ACCESS_TOKEN_TTL", "15"],
    ["ACCESS_TOKEN_TTL", "0m"],
    ["ACCESS_TOKEN_TTL", "-5m"],
    ["ACCESS_TOKEN_TTL", "15 min"],
    ["REFRESH_IDLE_TTL", "1w"],
    ["REFRESH_ABSOLUTE_TTL", "1.5d"],
    ["REFRESH_LEEWAY", "4m"],
    ["TRUSTED_PROXIES", "-1"],
    ["TRUSTED_PROXIES", "all"],
    ["RATE_LIMIT", "no"],
    ["LOG_LEVEL", "verbose"],
    ["SECURITY_WEBHOOK_URL", "http://pay.example.com/hook"],
    ["SECURITY_WEBHOOK_URL", "https://user:password@pay.example.com/hook"],
    ["SECURITY_WEBHOOK_URL", "https://pay.example.com/hook#part"],
    ["SECURITY_WEBHOOK_SECRET", "not-base64"],
    ["SECURITY_WEBHOOK_SECRET", `whsec_${Buffer.alloc(23).toString("base64")}`],
    ["SECURITY_WEBHOOK_SECRET", `whsec_${Buffer.alloc(65).toString("base64")}`],
    ["INTROSPECTION_CLIENTS", "boats"],
    ["INTROSPECTION_CLIENTS", "boats:too-short"],
    ["INTROSPECTION_CLIENTS", ":a-secret-of-nobody-at-all"],
    ["INTROSPECTION_CLIENTS", "boats:a-secret-of-the-boats,"],
    ["INTROSPECTION_CLIENTS", "boats:a-secret-of-the-boäts"],
    ["INTROSPECTION_CLIENTS", `${"b".repeat(65)}:a-secret-of-the-boats`],
    ["METRICS_TOKEN", "short"],
    ["METRICS_TOKEN", "spaces are no part of it"],
    ["WALLET_SESSION_MODE", "Production"],
    ["SHUTDOWN_TIMEOUT", "10"],
  ])("%s=%s", (name, value) => {
    const problems = problemsOf({ ...GIVEN, [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name} (must|is)`));
    if (/SECRET|SEED|CLIENTS/.test(name)) expect(problems[0]).not.toContain(value);
  });

  test("all of them at once", () => {
    expect(problemsOf({ ...GIVEN, PORT: "x", RATE_LIMIT: "x", LOG_LEVEL: "x" })).toHaveLength(3);
  });
});

describe("production", () => {
  const production = { ...GIVEN, NODE_ENV: "production", PUBLIC_URL: "https://pay.example.com" };

  test("makes no secret and assumes no Horizon", () => {
    expect(problemsOf({ NODE_ENV: "production" })).toEqual([
      "PUBLIC_URL is required in production",
      "AUTH_SECRET is required in production",
      "STELLAR_SIGNING_SEED is required in production",
      "HORIZON_URL is required in production (or none, so that only master keys sign)",
    ]);
  });

  test("runs without Horizon when it is told so in so many words", () => {
    expect(readConfig({ ...production, HORIZON_URL: "none" }, NOTHING_MADE).horizonUrl).toBeNull();
  });

  test("wants https, but on this machine itself", () => {
    const withUrl = (url: string) => problemsOf({ ...production, HORIZON_URL: "none", PUBLIC_URL: url });
    expect(withUrl("http://pay.example.com")[0]).toMatch(/^PUBLIC_URL must be https/);
    expect(withUrl("http://localhost:3000")).toEqual([]);
    expect(withUrl("http://127.0.0.1:3000")).toEqual([]);
  });

  test("is what WALLET_SESSION_MODE says where a framework sets NODE_ENV", () => {
    const env = { NODE_ENV: "production", WALLET_SESSION_MODE: "development" };
    expect(readConfig({ ...GIVEN, ...env }, NOTHING_MADE).production).toBe(false);
  });
});

test("no secret is made for a database that several machines share", () => {
  for (const url of ["postgres://pay@127.0.0.1/pay", "redis://127.0.0.1", "rediss://127.0.0.1"]) {
    expect(problemsOf({ DATABASE_URL: url })).toEqual([
      "AUTH_SECRET is required with a database that servers share",
      "STELLAR_SIGNING_SEED is required with a database that servers share",
    ]);
    expect(problemsOf({ ...GIVEN, DATABASE_URL: url })).toEqual([]);
  }
  const made: string[] = [];
  readConfig(
    { DATABASE_URL: "memory:" },
    {
      read(name, make) {
        made.push(name);
        return make();
      },
    },
  );
  expect(made).toEqual(["auth-secret", "stellar-signing-seed"]);
});

test("secrets that are not given are made once, kept, and readable by their owner alone", () => {
  const directory = join(mkdtempSync(join(tmpdir(), "wallet-session-config-")), "data");
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const first = readConfig({}, madeSecrets(directory));
  const second = readConfig({}, madeSecrets(directory));
  expect(second.authSecrets).toEqual(first.authSecrets);
  expect(second.stellarSigningSeed).toBe(first.stellarSigningSeed);
  expect(readdirSync(directory).sort()).toEqual(["auth-secret", "stellar-signing-seed"]);
  expect(readFileSync(join(directory, "auth-secret"), "utf8").trim()).toBe(first.authSecrets[0]);
  expect(statSync(join(directory, "auth-secret")).mode & 0o777).toBe(0o600);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(makeAuthSecret()).not.toBe(makeAuthSecret());
});

test("where the host of PUBLIC_URL cannot be a home domain, that is said of what was given", () => {
  const longName = `${"a".repeat(56)}.com`;
  for (const PUBLIC_URL of ["http://[::1]:3000", `https://${longName}`]) {
    expect(problemsOf({ ...GIVEN, PUBLIC_URL })).toEqual([
      "PUBLIC_URL has a host that SEP-10 cannot name: set HOME_DOMAIN as well",
    ]);
    const config = readConfig({ ...GIVEN, PUBLIC_URL, HOME_DOMAIN: "pay.example.com" }, NOTHING_MADE);
    expect([config.homeDomain, config.publicUrl.origin]).toEqual(["pay.example.com", PUBLIC_URL]);
  }
  expect(problemsOf({ ...GIVEN, HOME_DOMAIN: longName })).toEqual([
    "HOME_DOMAIN must have at most 59 characters",
  ]);
});
