import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { json, ScriptedServer } from "../../test/scripted-server.ts";
import { ConfigError } from "../config/settings.ts";
import type { SecurityEvent } from "../engine/security-event.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { createWalletKeypair } from "../testing/wallet-keypair.ts";
import { createSessions, type Sessions, type SessionsOptions } from "./sessions.ts";

const ENV = {
  DATABASE_URL: "memory:",
  AUTH_SECRET: "a secret of the tests here that is long enough",
  STELLAR_SIGNING_SEED: createWalletKeypair(new Uint8Array(32).fill(7)).seed,
  LOG_LEVEL: "silent",
};
const ORIGIN = "http://localhost:3000";

const open: Sessions[] = [];

afterEach(async () => {
  for (const sessions of open.splice(0)) await sessions.close();
});

function create(options: SessionsOptions = { env: ENV }): Sessions {
  const sessions = createSessions(options);
  open.push(sessions);
  return sessions;
}

async function status(sessions: Sessions, path: string, init?: RequestInit): Promise<number> {
  return (await sessions.fetch(new Request(ORIGIN + path, init))).status;
}

test("one call serves the whole life of a session", async () => {
  const sessions = create();
  const call = async (path: string, body?: object) => {
    const init = body && {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    };
    return (await sessions.fetch(new Request(ORIGIN + path, init))).json();
  };
  const wallet = createWalletKeypair();
  const challenge = await call(`/api/auth/wallet?account=${wallet.account}`);
  const signedIn = await call("/api/auth/wallet", { transaction: wallet.sign(challenge) });
  const refreshed = await call("/api/auth/refresh", { refresh_token: signedIn.refresh_token });
  expect(await sessions.engine.authenticate(refreshed.access_token)).toMatchObject({
    actorId: wallet.account,
  });
  const request = new Request(ORIGIN, { headers: { authorization: `Bearer ${refreshed.access_token}` } });
  expect((await sessions.handlers.guard(request)).sessionId).toBe(signedIn.session_id);
});

test("one base path holds for endpoints, stellar.toml, metrics and pages, by setting or by option", async () => {
  const token = "a-token-for-metrics";
  const env = { ...ENV, METRICS_TOKEN: token };
  const basePath = "/shop/auth";
  for (const options of [{ env: { ...env, AUTH_BASE_PATH: basePath } }, { env, basePath }]) {
    const sessions = create(options);
    expect(await status(sessions, `${basePath}/wallet`, { method: "POST", body: "{}" })).toBe(415);
    expect(await status(sessions, "/api/auth/wallet")).toBe(404);
    const text = async (path: string, init?: RequestInit) =>
      (await sessions.fetch(new Request(ORIGIN + path, init))).text();
    expect(await text("/.well-known/stellar.toml")).toContain(
      `WEB_AUTH_ENDPOINT="${ORIGIN}${basePath}/wallet"`,
    );
    const metrics = await text("/api/metrics", { headers: { authorization: `Bearer ${token}` } });
    expect(metrics).toContain(`wallet_session_rate_limited_total{http_route="${basePath}/refresh"} 0`);
    expect(metrics).toMatch(/^wallet_session_sign_ins_total\{outcome="unsupported_media_type"\} 1$/m);
    expect(sessions.handlers.basePath).toBe(basePath);
  }
});

test("each call makes sessions of its own, by its own options", async () => {
  const one = create();
  const other = create({ env: { ...ENV, PORT: "3001" } });
  expect([one.config.port, other.config.port]).toEqual([3000, 3001]);
  expect(other.engine).not.toBe(one.engine);
  await other.close();
  expect(await status(one, "/api/readyz")).toBe(200);
});

test("nothing is read or opened before the first use; bad settings are said then, all of them", () => {
  const opened: string[] = [];
  const env: Record<string, string> = { PORT: "none", AUTH_SECRET: "short" };
  const openStore = () => {
    opened.push("store");
    return createMemoryStore();
  };
  const sessions = create({ env, openStore });
  expect(() => sessions.config).toThrow(ConfigError);
  expect(() => sessions.engine).toThrow(/PORT must be.*\n.*AUTH_SECRET is not usable/);
  Object.assign(env, ENV, { PORT: "3000" });
  expect(opened).toEqual([]);
  expect([sessions.config.port, sessions.engine, sessions.handlers]).toHaveLength(3);
  expect(opened).toEqual(["store"]);
});

test("starts once, by itself with the first request, or where it is asked to", async () => {
  const steps: string[] = [];
  const store = createMemoryStore();
  const watched = new Proxy(store, {
    get(target, name: keyof typeof store) {
      steps.push(name);
      return target[name].bind(target);
    },
  });
  const sessions = create({ env: ENV, openStore: () => watched });
  const health = () => status(sessions, "/api/healthz");
  await Promise.all([health(), sessions.start(), health(), sessions.start()]);
  expect(steps.filter((step) => step === "signingKeys").length).toBe(1);
  expect(await status(sessions, "/api/readyz")).toBe(200);
});

test("a store that cannot be reached: `start` says so, requests are 503, and both work once it can", async () => {
  let down = true;
  const store = createMemoryStore();
  const failing = new Proxy(store, {
    get(target, name: keyof typeof store) {
      if (name === "watchRevocations") return () => () => {};
      const step = target[name].bind(target) as (...args: unknown[]) => Promise<unknown>;
      return (...args: unknown[]) => (down ? Promise.reject(new Error("no route to host")) : step(...args));
    },
  });
  const sessions = create({ env: ENV, openStore: () => failing });
  await expect(sessions.start()).rejects.toMatchObject({ code: "store_unavailable" });
  const statuses = () =>
    Promise.all(["/.well-known/jwks.json", "/api/healthz"].map((path) => status(sessions, path)));
  expect(await statuses()).toEqual([503, 200]);
  down = false;
  expect(await statuses()).toEqual([200, 200]);
  await sessions.start();
});

test("health is answered while a store that says nothing holds up the start", async () => {
  const store = createMemoryStore();
  const silent = new Proxy(store, {
    get(target, name: keyof typeof store) {
      return name === "signingKeys" ? () => new Promise(() => {}) : target[name].bind(target);
    },
  });
  expect(await status(create({ env: ENV, openStore: () => silent }), "/api/healthz")).toBe(200);
});

test("by itself it opens the store that DATABASE_URL names", async () => {
  const directory = mkdtempSync(join(tmpdir(), "create-sessions-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const env = { ...ENV, DATABASE_URL: `sqlite:${join(directory, "sessions.db")}` };
  const first = create({ env });
  await first.start();
  const { keys } = await first.engine.getJwks();
  await first.close();
  const second = create({ env });
  await second.start();
  expect((await second.engine.getJwks()).keys).toEqual(keys);
});

test("metrics are there where METRICS_TOKEN is set, for who has it, and count from the start on", async () => {
  const token = "a-token-for-metrics";
  const headers = { authorization: `Bearer ${token}` };
  expect(await status(create(), "/api/metrics", { headers })).toBe(404);

  const sessions = create({ env: { ...ENV, METRICS_TOKEN: token } });
  await sessions.start();
  await status(sessions, "/api/healthz");
  expect(await status(sessions, "/api/metrics")).toBe(401);
  const text = await (await sessions.fetch(new Request(`${ORIGIN}/api/metrics`, { headers }))).text();
  expect(text).toMatch(/^http_server_request_duration_seconds_count\{.*http_route="\/api\/healthz".*\} 1$/m);
  expect(text).toMatch(
    /^wallet_session_store_step_duration_seconds_count\{step="signingKeys",outcome="ok"\} /m,
  );
  expect(text).toMatch(/^wallet_session_revocation_view_age_seconds /m);
});

test("metrics that are asked for before the start are not there yet", async () => {
  const token = "a-token-for-metrics";
  const { handlers } = create({ env: { ...ENV, METRICS_TOKEN: token } });
  const headers = { authorization: `Bearer ${token}` };
  expect((await handlers.metrics(new Request(`${ORIGIN}/api/metrics`, { headers }))).status).toBe(503);
});

test("security events go to the app's own hook, and to the webhook of the settings", async () => {
  const receiver = await new ScriptedServer().start();
  onTestFinished(() => receiver.stop());
  receiver.answers("POST /in", json({}));
  const own: string[] = [];
  const onSecurityEvent = async ({ sessionId }: SecurityEvent) => void own.push(sessionId);
  const webhook = {
    SECURITY_WEBHOOK_URL: `${receiver.origin}/in`,
    SECURITY_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32).toString("base64")}`,
  };
  for (const options of [{ onSecurityEvent }, { onSecurityEvent, env: { ...ENV, ...webhook } }]) {
    const { engine, start, close } = create({ env: ENV, ...options });
    await start();
    const challenge = { id: crypto.randomUUID(), expiresAt: Date.now() + 60_000 };
    const client = { browser: null, os: null, device: null, ip: null };
    const { session } = await engine.signIn({ actorId: "GABC", challenge }, { transport: "body", client });
    await engine.revokeSession(session.actorId, session.id);
    await vi.waitFor(() => expect(own.at(-1)).toBe(session.id), 10_000);
    await close();
  }
  expect(receiver.calls("POST /in").map(({ headers }) => headers["webhook-id"])).toEqual([
    `revocation_${own[1]}`,
  ]);
});

test("the id that a request has from a proxy counts where there are proxies", async () => {
  const idOf = async (sessions: Sessions) => {
    const headers = { "X-Request-Id": "from-the-proxy" };
    const answer = await sessions.fetch(new Request(`${ORIGIN}/api/healthz`, { headers }));
    return answer.headers.get("X-Request-Id");
  };
  expect(await idOf(create())).not.toBe("from-the-proxy");
  expect(await idOf(create({ env: { ...ENV, TRUSTED_PROXIES: "1" } }))).toBe("from-the-proxy");
});
