import { createServer } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { createNodeServer } from "../node/server.ts";
import { createSessions, type Sessions } from "../server/sessions.ts";
import { createWalletKeypair } from "../testing/wallet-keypair.ts";
import { storeInFile, type } from "./cli.fixture.ts";

const SEED = createWalletKeypair(new Uint8Array(32).fill(7)).seed;
const PASSPHRASE = "Test SDF Network ; September 2015";

interface Machine {
  readonly passphrase?: string;
  readonly status?: number;
  readonly aheadMs?: number;
  readonly text?: string;
}

/** Somebody else's machine, which answers everything alike. */
async function machine({
  passphrase = PASSPHRASE,
  status = 200,
  aheadMs = 0,
  text,
}: Machine = {}): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader("date", new Date(Date.now() + aheadMs).toUTCString());
    response.writeHead(status).end(text ?? JSON.stringify({ network_passphrase: passphrase }));
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

/** A server of ours with these settings, at its PUBLIC_URL. */
async function serving(
  given: Record<string, string | undefined>,
): Promise<Record<string, string | undefined>> {
  // The port is had before the settings that name it.
  let origin = "";
  let sessions: Sessions;
  const server = createNodeServer({
    fetch: (request) => sessions.fetch(request),
    problem: (error) => sessions.handlers.problem(error),
    get origin() {
      return origin;
    },
  });
  origin = `http://127.0.0.1:${await server.listen(0, "127.0.0.1")}`;
  const env = { STELLAR_SIGNING_SEED: SEED, LOG_LEVEL: "silent", ...given, PUBLIC_URL: origin };
  sessions = createSessions({ env });
  await sessions.start();
  onTestFinished(async () => {
    await server.stop(0);
    await sessions.close();
  });
  return env;
}

/** What the doctor says with these settings, by check. */
async function diagnose(env: Record<string, string | undefined>) {
  const { code, out } = await type("doctor --json", env);
  const { ok, checks } = JSON.parse(out.join("")) as {
    ok: boolean;
    checks: { check: string; status: string; detail: string; advice: string | null }[];
  };
  expect(ok).toBe(code === 0);
  return {
    code,
    checks,
    of: (name: string) =>
      checks.filter(({ check }) => check === name).map(({ status, detail }) => `${status}: ${detail}`),
  };
}

test("all is well with a server that runs", async () => {
  const { env } = storeInFile();
  const running = await serving({ ...env, HORIZON_URL: await machine() });
  const { code, out } = await type("doctor", running);
  const shown = out.map((line) => line.replace(/127\.0\.0\.1:\d+/g, "HOST").replace(/\d+\.\d/g, "N"));
  expect([code, shown]).toMatchInlineSnapshot(`
    [
      0,
      [
        "ok    settings      development, http://HOST, sessions in sqlite",
        "ok    cookies       http://HOST: most browsers keep Secure cookies from this machine itself, Safari does not",
        "ok    proxies       TRUSTED_PROXIES is 0",
        "ok    schema        version 4",
        "ok    store         sqlite answers in N ms, and has 0 sessions",
        "ok    keys          1 signing",
        "ok    horizon       answers, for "Test SDF Network ; September 2015"",
        "ok    public url    http://HOST leads to a server",
        "ok    stellar.toml  http://HOST/.well-known/stellar.toml names this service and its key",
        "ok    clock         within a second of what answered",
        "",
        "10 ok, 0 to look at, 0 failed.",
      ],
    ]
  `);
  expect((await diagnose(running)).checks.map(({ status, advice }) => [status, advice])).toEqual(
    Array.from({ length: 10 }, () => ["ok", null]),
  );
});

test("what is not there yet is said, and is no failure", async () => {
  const { path } = storeInFile();
  const { code, of } = await diagnose({
    DATABASE_URL: `sqlite:${path}s`,
    PUBLIC_URL: "http://localhost:65535",
    STELLAR_SIGNING_SEED: SEED,
    AUTH_SECRET: "x".repeat(32),
  });
  expect(code).toBe(0);
  expect(of("store")).toEqual([`ok: ${path}s is not there yet: the first server that starts makes it`]);
  expect(of("public url")[0]).toMatch(/^warn: no server at http:\/\/localhost:65535: .*ECONNREFUSED/);
  expect(of("stellar.toml")[0]).toMatch(/^warn: /);
  expect(of("clock")).toEqual(["warn: no other clock was there to compare with"]);
  expect(of("horizon")).toEqual(["ok: no HORIZON_URL: an account signs in by its master key alone"]);
});

test("settings that cannot be used are all named, and nothing else is looked at", async () => {
  const { code, out } = await type("doctor", { NODE_ENV: "production", PORT: "none" });
  expect(code).toBe(1);
  expect(out.filter((line) => line.startsWith("fail  settings"))).toHaveLength(5);
  expect(out.at(-1)).toBe("The other checks need settings that can be used.");
});

test("settings that work but should not be so", async () => {
  const base = { STELLAR_SIGNING_SEED: SEED, AUTH_SECRET: "x".repeat(32), DATABASE_URL: "memory:" };
  const production = await diagnose({
    ...base,
    NODE_ENV: "production",
    HORIZON_URL: "none",
    RATE_LIMIT: "off",
    PUBLIC_URL: "https://localhost:65535",
    HOME_DOMAIN: "home.localhost:65535",
  });
  for (const name of ["store", "horizon", "proxies", "rate limits", "stellar.toml"]) {
    expect([name, production.of(name)]).toEqual([name, [expect.stringMatching(/^warn: /)]]);
  }
  expect(production.of("stellar.toml")[0]).toContain("https://home.localhost:65535/.well-known/stellar.toml");
  const plain = await diagnose({ ...base, PUBLIC_URL: "http://pay.invalid", TRUSTED_PROXIES: "1" });
  expect(plain.of("cookies")).toEqual([expect.stringMatching(/^fail: .* plain http/)]);
  expect(plain.of("proxies")).toEqual([expect.stringMatching(/^warn: TRUSTED_PROXIES is 1/)]);
  expect(plain.code).toBe(1);
});

test.each([
  [
    "of another network",
    { passphrase: "Public Global Stellar Network ; September 2015" },
    /^fail: is of another network/,
  ],
  ["no Horizon", { text: "hello" }, /^fail: answers, but not as a Horizon does/],
  ["down", { status: 502 }, /^fail: .* it answers 502/],
])("a Horizon that is %s", async (_name, horizon, expected) => {
  const { env } = storeInFile();
  const { of } = await diagnose({ ...env, STELLAR_SIGNING_SEED: SEED, HORIZON_URL: await machine(horizon) });
  expect(of("horizon")).toEqual([expect.stringMatching(expected)]);
});

test.each([
  [60_000, /^fail: .*behind what answered/],
  [-60_000, /^fail: .*ahead of what answered/],
  [4_000, /^warn: /],
])("a clock that is %i ms away from Horizon's", async (aheadMs, expected) => {
  const { env } = storeInFile();
  const { of } = await diagnose({
    ...env,
    STELLAR_SIGNING_SEED: SEED,
    HORIZON_URL: await machine({ aheadMs }),
  });
  expect(of("clock")).toEqual([expect.stringMatching(expected)]);
});

test("a stellar.toml of other settings, or none", async () => {
  const { env } = storeInFile();
  const running = await serving({ ...env, AUTH_BASE_PATH: "/auth" });
  expect((await diagnose(running)).of("stellar.toml")[0]).toMatch(/^ok: /);
  const elsewhere = await diagnose({ ...running, AUTH_BASE_PATH: "/login" });
  expect(elsewhere.of("stellar.toml")).toEqual([
    expect.stringMatching(/^fail: .* has WEB_AUTH_ENDPOINT=".*\/auth\/wallet"/),
  ]);
  const other = await diagnose({ ...running, STELLAR_SIGNING_SEED: createWalletKeypair().seed });
  expect(other.of("stellar.toml")).toEqual([expect.stringMatching(/^fail: .* has SIGNING_KEY="G/)]);
  const none = await diagnose({ ...running, PUBLIC_URL: await machine() });
  expect(none.of("stellar.toml")).toEqual([expect.stringMatching(/^fail: .* has no SIGNING_KEY/)]);
  expect(none.of("public url")).toEqual([expect.stringMatching(/^warn: .* \/api\/healthz answers 200/)]);
});

test("keys that AUTH_SECRET does not open, all or some", async () => {
  const { env } = storeInFile();
  const running = await serving(env);
  const foreign = "another secret that is long enough to be one";
  const none = await diagnose({ ...running, AUTH_SECRET: foreign });
  expect(none.of("keys")).toEqual(["fail: none of 1 signing key opens under AUTH_SECRET"]);
  const added = await diagnose({ ...running, AUTH_SECRET: `${foreign},${env.AUTH_SECRET}` });
  expect(added.of("keys")).toEqual([
    "ok: 1 signing",
    expect.stringMatching(/^warn: no key rests under the first/),
  ]);
  await type("keys rotate", { ...running, AUTH_SECRET: `${foreign},${env.AUTH_SECRET}` });
  expect((await diagnose(running)).of("keys")).toEqual([
    expect.stringMatching(/^warn: 1 signing, \d unreadable$/),
  ]);
});

test("a schema that is older, or newer, is left as it is; a store that does not answer is a failure", async () => {
  const { env, path } = storeInFile();
  const settings = { ...env, STELLAR_SIGNING_SEED: SEED };
  expect((await diagnose(settings)).of("keys")).toEqual([
    "ok: none yet: the first server that starts makes one",
  ]);
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  for (const [version, expected] of [
    [1, /^warn: version 1, and this version of wallet-session brings/],
    [99, /^warn: version 99, which is newer/],
  ] as const) {
    database.exec(`PRAGMA user_version = ${version}`);
    const { of } = await diagnose(settings);
    expect([of("schema"), of("store")]).toEqual([[expect.stringMatching(expected)], []]);
    expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: version });
  }
  const down = await diagnose({ ...settings, DATABASE_URL: "redis://someone:hunter2@127.0.0.1:1" });
  expect(down.of("store")).toEqual([expect.stringMatching(/^fail: redis failed: /)]);
  expect(JSON.stringify(down.checks)).not.toContain("hunter2");
});
