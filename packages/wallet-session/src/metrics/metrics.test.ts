import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createDeviceBrowser } from "../../test/device-browser.ts";
import { cookieHeader, signInBy } from "../http/device.fixture.ts";
import { startHttp } from "../http/http.fixture.ts";
import type { SessionId } from "../session-id.ts";
import { VERSION } from "../version.ts";
import { createMetrics } from "./metrics.ts";

/** Handlers and an engine whose doings are counted, and what is told of them. */
async function startCounted(options: Parameters<typeof startHttp>[0] = {}) {
  let time = 0;
  const stopwatch = () => {
    time += 3;
    return time;
  };
  const metrics = await createMetrics({ stopwatch });
  const http = await startHttp({
    onRequest: metrics.onRequest,
    onFault: metrics.onFault,
    stopwatch,
    engineOptions: { onEvent: metrics.onEvent, onStoreStep: metrics.onStoreStep },
    ...options,
  });
  metrics.watch(http.engine, http.handlers);
  /** The samples of a metric: labels and value, without those that are 0. */
  async function samples(name: string): Promise<Record<string, number>> {
    const { text } = await metrics.render();
    const lines = text
      .split("\n")
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    return Object.fromEntries(
      lines
        .map(
          (line) => [line.slice(name.length, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))] as const,
        )
        .filter(([, value]) => value !== 0),
    );
  }
  return { ...http, metrics, samples };
}

const SESSION_ID = "s" as SessionId;

test("refreshes and sign-ins are counted by outcome, whether the engine or an endpoint has ended them", async () => {
  const { send, signIn, browser, store, samples } = await startCounted();
  const post = (body: object) => send("POST", "/api/auth/refresh", { body });
  const { refresh_token } = await signIn();
  const jar = await browser();
  await post({ refresh_token });
  await jar.send("POST", "/api/auth/refresh");
  await post({ refresh_token: "garbage" });
  await post({ refresh_token: 7 });
  await post({ refresh_token });
  await send("POST", "/api/auth/wallet", { body: { transaction: "AAAA" } });
  const other = await signIn();
  store.failing = true;
  await post({ refresh_token: other.refresh_token });
  store.failing = false;
  expect(await samples("wallet_session_refreshes_total")).toEqual({
    '{outcome="rotated",cause=""}': 1,
    '{outcome="unchanged",cause=""}': 1,
    '{outcome="refresh_token_invalid",cause="malformed"}': 1,
    '{outcome="invalid_request",cause=""}': 1,
    '{outcome="refresh_token_reused",cause="reused"}': 1,
    '{outcome="store_unavailable",cause=""}': 1,
  });
  expect(await samples("wallet_session_sign_ins_total")).toEqual({
    '{outcome="signed_in"}': 3,
    '{outcome="challenge_invalid"}': 1,
  });
  expect(await samples("wallet_session_reuse_alarms_total")).toEqual({ "": 1 });
  expect(await samples("wallet_session_revocations_total")).toEqual({ '{reason="reuse"}': 1 });
  expect(await samples("wallet_session_store_faults_total")).toEqual({ '{step="rotate"}': 1 });
});

test("what browsers do with their device keys is counted by outcome", async () => {
  const http = await startCounted();
  const browser = createDeviceBrowser({
    fetch: http.handlers.fetch,
    origin: "https://pay.example.com",
    now: () => http.clock.now(),
  });
  await signInBy(http, browser);
  await browser.request("GET", "/api/auth/session");
  await browser.settled();
  http.clock.advance(900_000);
  http.store.failing = true;
  await browser.request("GET", "/api/auth/session");
  http.store.failing = false;
  await http.send("POST", "/api/auth/device/register");
  await http.send("POST", "/api/auth/refresh", {
    headers: { Cookie: cookieHeader(browser.jar()), "Sec-Fetch-Site": "same-origin" },
  });
  expect(await http.samples("wallet_session_bound_total")).toEqual({ '{kind="device"}': 1 });
  expect(await http.samples("wallet_session_proof_failures_total")).toEqual({ "": 1 });
  expect(await http.samples("wallet_session_device_registrations_total")).toEqual({
    '{outcome="registered"}': 1,
    '{outcome="refresh_token_missing"}': 1,
  });
  expect(await http.samples("wallet_session_device_refreshes_total")).toEqual({
    '{outcome="proof_nonce"}': 1,
    '{outcome="renewed"}': 1,
    '{outcome="store_unavailable"}': 1,
  });
  expect(await http.samples("wallet_session_device_proofs_skipped_total")).toEqual({
    '{reason="server_error"}': 1,
  });
});

test("steps of the store are timed by step and outcome, requests by route, status and code", async () => {
  const { send, signIn, store, samples } = await startCounted();
  const { refresh_token } = await signIn();
  const post = () => send("POST", "/api/auth/refresh", { body: { refresh_token } });
  await post();
  await post();
  store.failing = true;
  await post();
  const steps = await samples("wallet_session_store_step_duration_seconds_count");
  expect(steps).toMatchObject({
    '{step="createSession",outcome="created"}': 1,
    '{step="rotate",outcome="rotated"}': 1,
    '{step="rotate",outcome="unmatched"}': 1,
    '{step="rotate",outcome="fault"}': 1,
    '{step="revokeSession",outcome="ok"}': 1,
  });
  const sums = await samples("wallet_session_store_step_duration_seconds_sum");
  expect(sums['{step="rotate",outcome="fault"}']).toBeCloseTo(0.003);
  const requests = await samples("http_server_request_duration_seconds_count");
  const refreshes = Object.entries(requests).filter(([labels]) => labels.includes("refresh"));
  const labels = (status: number, error: string) =>
    `{http_request_method="POST",http_route="/api/auth/refresh",http_response_status_code="${status}",error_type="${error}"}`;
  expect(Object.fromEntries(refreshes)).toEqual({
    [labels(200, "")]: 1,
    [labels(401, "refresh_token_reused")]: 1,
    [labels(503, "store_unavailable")]: 1,
  });
});

test("what clients make up makes no series of its own", async () => {
  const { send, signIn, metrics } = await startCounted();
  const { access_token } = await signIn();
  const headers = { Authorization: `Bearer ${access_token}` };
  const series = async () =>
    (await metrics.render()).text.split("\n").filter((line) => /^(http|wallet)/.test(line));
  const flood = async () => {
    for (let n = 0; n < 30; n += 1) {
      await send(`BREW${n}`, `/nowhere/made-up-${n}`);
      await send("DELETE", `/api/auth/sessions/made-up-${n}`, { headers });
      await send("POST", "/api/auth/refresh", { body: { refresh_token: `made-up-${n}` } });
    }
    return (await series()).length;
  };
  // The first time may find what was not known before.
  await flood();
  expect(await flood()).toBe(await flood());
  expect((await series()).join("\n")).not.toMatch(/made-up|BREW|G[A-Z2-7]{55}/);
});

test("too many requests, faults, lines left out, and revocations of other processes", async () => {
  const { send, handlers, metrics, samples } = await startCounted({
    rateLimit: true,
    clientAddress: () => "198.51.100.7",
  });
  for (let n = 0; n < 601; n += 1) await send("GET", "/api/auth/wallet");
  const fail = async () => {
    throw new Error("a bug");
  };
  await handlers.endpoint("/api/boats", { GET: fail })(new Request("http://localhost/api/boats"));
  metrics.onLineDropped("request");
  metrics.onEvent({ type: "revocation_learned", sessionId: SESSION_ID, lagMs: 700 });
  metrics.onEvent({ type: "signing_key_added", kid: "k" });
  expect(await samples("wallet_session_rate_limited_total")).toEqual({
    '{http_route="/api/auth/wallet"}': 1,
  });
  expect(await samples("wallet_session_faults_total")).toEqual({ "": 1 });
  expect(await samples("wallet_session_log_lines_dropped_total")).toEqual({ '{event="request"}': 1 });
  expect(await samples("wallet_session_revocation_lag_seconds_sum")).toEqual({ "": 0.7 });
});

test("what is asked for when it is collected: the age of the view, leases, streams, and what runs", async () => {
  const { send, signIn, clock, samples, handlers } = await startCounted();
  const { access_token } = await signIn();
  const stream = await send("GET", "/api/auth/events", {
    headers: { Authorization: `Bearer ${access_token}` },
  });
  clock.advance(1_500);
  expect(await samples("wallet_session_revocation_view_age_seconds")).toEqual({ "": 1.5 });
  expect(await samples("wallet_session_leases")).toEqual({ "": 1 });
  expect(await samples("wallet_session_event_streams")).toEqual({ "": 1 });
  expect(await samples("wallet_session_build_info")).toEqual({
    [`{version="${VERSION}",node="${process.version}"}`]: 1,
  });
  expect(Object.keys(await samples("process_cpu_seconds_total"))).toEqual([""]);
  handlers.closeEventStreams();
  await stream.text();
  expect(await samples("wallet_session_leases")).toEqual({});
});

test("nothing is told of a view that was never read", async () => {
  const metrics = await createMetrics();
  const figures = { revocationViewAgeMs: null, leases: 0, waitingEvents: null };
  metrics.watch({ getStats: () => figures, countSessions: async () => 0 }, { eventStreamCount: () => 0 });
  const { text } = await metrics.render();
  expect(text).toContain("\nwallet_session_leases 0\n");
  expect(text).not.toMatch(/^wallet_session_revocation_view_age_seconds /m);
});

test("live sessions are counted in the background, every 30 s at most, and not told where that fails", async () => {
  let time = 0;
  const counts = [12, 13, new Error("gone")];
  const asked: number[] = [];
  const metrics = await createMetrics({ stopwatch: () => time });
  metrics.watch(
    {
      getStats: () => ({ revocationViewAgeMs: 0, leases: 0, waitingEvents: { count: 3, ageMs: 4_500 } }),
      async countSessions() {
        asked.push(time);
        const count = counts.shift();
        if (typeof count === "number") return count;
        throw count;
      },
    },
    { eventStreamCount: () => 0 },
  );
  const told = async () => {
    const { text } = await metrics.render();
    return /^wallet_session_live_sessions (.*)$/m.exec(text)?.[1] ?? null;
  };
  // The first one begins to count, and waits for nothing.
  expect([await told(), await told()]).toEqual([null, "12"]);
  time += 29_999;
  expect(await told()).toBe("12");
  time += 1;
  expect([await told(), await told()]).toEqual(["12", "13"]);
  time += 30_000;
  expect([await told(), await told()]).toEqual(["13", null]);
  expect(asked).toEqual([0, 30_000, 60_000]);
  const { text } = await metrics.render();
  expect(text).toMatch(/^wallet_session_security_events_waiting 3$/m);
  expect(text).toMatch(/^wallet_session_security_events_oldest_age_seconds 4.5$/m);
});

test("what becomes of security events, and of revocations that a restored store had lost", async () => {
  const { metrics, samples } = await startCounted();
  const ids = { id: "revocation_s", sessionId: SESSION_ID };
  const failed = { type: "security_event_failed", ...ids, retryInMs: 1, cause: null } as const;
  metrics.onEvent({ type: "security_event_delivered", ...ids });
  metrics.onEvent({ ...failed, outcome: "unavailable" });
  metrics.onEvent({ ...failed, outcome: "refused" });
  metrics.onEvent({ type: "security_event_given_up", ...ids, cause: null });
  metrics.onEvent({ type: "security_events_expired", events: 7 });
  metrics.onEvent({ type: "revocations_reasserted", count: 5 });
  expect(await samples("wallet_session_security_event_deliveries_total")).toEqual({
    '{outcome="delivered"}': 1,
    '{outcome="unavailable"}': 1,
    '{outcome="refused"}': 1,
    '{outcome="given_up"}': 1,
    '{outcome="expired"}': 7,
  });
  expect(await samples("wallet_session_revocations_reasserted_total")).toEqual({ "": 5 });
});

test("each has a registry of its own", async () => {
  const [one, other] = [await createMetrics(), await createMetrics()];
  one.onEvent({
    type: "reuse_detected",
    actorId: "G",
    sessionId: SESSION_ID,
    presentedGeneration: 1,
    currentGeneration: 3,
  });
  expect((await one.render()).text).toContain("wallet_session_reuse_alarms_total 1");
  expect((await other.render()).text).toContain("wallet_session_reuse_alarms_total 0");
});

test("the version is that of the package", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(VERSION).toBe(manifest.version);
});
