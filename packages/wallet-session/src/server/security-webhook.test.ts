import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { type Handler, ScriptedServer, type SeenRequest } from "../../test/scripted-server.ts";
import { temporaryDirectory } from "../../test/temporary-directory.ts";
import { createSessionEngine } from "../engine/create-session-engine.ts";
import { type SecurityEvent, SecurityEventRefused } from "../engine/security-event.ts";
import { everyInterval } from "../engine/timers.ts";
import type { SessionId } from "../session-id.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { openSqliteStore } from "../stores/sqlite.ts";
import { createManualClock } from "../testing/manual-clock.ts";
import { create, HOUR, proofFailure } from "../testing/store-conformance-fixtures.ts";
import { securityWebhook } from "./security-webhook.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const NEXT_SECRET = `whsec_${Buffer.alloc(32, 8).toString("base64")}`;
const EVENT: SecurityEvent = {
  id: "revocation_3vQ0",
  type: "session.reuse_detected",
  sessionId: "3vQ0" as SessionId,
  actorId: "GABC",
  reason: "reuse",
  occurredAt: Date.UTC(2026, 10, 24, 9, 30),
};
const POST = "POST /security";

const place = temporaryDirectory();
const receiver = new ScriptedServer();
beforeAll(() => receiver.start());
afterAll(() => receiver.stop());
beforeEach(() => answers(200));

function answers(...statuses: number[]): void {
  receiver.answers(POST, ...statuses.map(status));
}
const status =
  (code: number): Handler =>
  (_, response) =>
    response.writeHead(code, { location: "/elsewhere" }).end("a body that nobody reads");

const hook = () => new URL("/security", receiver.origin);
const send = (signal = AbortSignal.timeout(5_000)) =>
  securityWebhook({ url: hook(), secrets: [SECRET] })(EVENT, signal);
const seen = () => receiver.calls(POST);
const idOf = ({ headers }: SeenRequest) => String(headers["webhook-id"]);

/** What a receiver gets that checks signature and time with the library of Standard Webhooks. @throws where they are wrong */
function verified({ body, headers }: SeenRequest, secret = SECRET): unknown {
  return new Webhook(secret).verify(body, headers as Record<string, string>);
}

test("a receiver verifies what it gets by the library of Standard Webhooks", async () => {
  await send();
  const [request] = seen().slice(-1);
  if (request === undefined) throw new Error("nothing was sent");
  expect(request.headers["content-type"]).toBe("application/json");
  expect(idOf(request)).toBe("revocation_3vQ0");
  expect(verified(request)).toEqual({
    type: "session.reuse_detected",
    timestamp: "2026-11-24T09:30:00.000Z",
    data: { session_id: "3vQ0", actor_id: "GABC", reason: "reuse" },
  });
  expect(() => verified({ ...request, body: request.body.replace("GABC", "GABD") })).toThrow();
  expect(() => verified(request, NEXT_SECRET)).toThrow();
});

test("a proof that failed is told as what it is: each time anew, and its session goes on", async () => {
  const store = createMemoryStore();
  const engine = createSessionEngine({
    store,
    secrets: ["a secret of this test that is long enough"],
    issuer: "https://pay.example.com",
    onSecurityEvent: securityWebhook({ url: hook(), secrets: [SECRET] }),
  });
  onTestFinished(() => engine.close());
  const before = seen().length;
  const session = await create(store, "a", { actorId: "GABC" });
  const { id } = session;
  for (const at of [EVENT.occurredAt, EVENT.occurredAt + 2 * HOUR]) {
    await store.noteProofFailure(proofFailure(session, at));
  }
  await store.revokeSession(id, { reason: "ended", revokedAt: EVENT.occurredAt + 3 * HOUR });
  await engine.start();
  await vi.waitFor(() => expect(seen().length - before).toBe(3), { timeout: 10_000, interval: 20 });
  const told = seen()
    .slice(before)
    .map((request) => ({ id: idOf(request), ...(verified(request) as object) }))
    .sort((one, other) => (one.id < other.id ? -1 : 1));
  const data = { session_id: id, actor_id: "GABC" };
  const failed = { type: "session.proof_failed", data: { ...data, reason: "proof_failed" } };
  const name = (at: number) => `proof_failure_${id}_${EVENT.occurredAt + at}`;
  expect(told).toEqual([
    { id: name(0), timestamp: "2026-11-24T09:30:00.000Z", ...failed },
    { id: name(2 * HOUR), timestamp: "2026-11-24T11:30:00.000Z", ...failed },
    {
      id: `revocation_${id}`,
      type: "session.revoked",
      timestamp: "2026-11-24T12:30:00.000Z",
      data: { ...data, reason: "ended" },
    },
  ]);
});

test("the timestamp is of the try, by which a receiver refuses what is replayed to it later", async () => {
  const clock = createManualClock();
  await securityWebhook({ url: hook(), secrets: [SECRET], clock })(EVENT, AbortSignal.timeout(5_000));
  const [request] = seen().slice(-1);
  expect(request?.headers["webhook-timestamp"]).toBe(String(Math.floor(clock.now() / 1_000)));
});

test("with several secrets a receiver that knows any one of them accepts", async () => {
  await securityWebhook({ url: hook(), secrets: [NEXT_SECRET, SECRET] })(EVENT, AbortSignal.timeout(5_000));
  const [request] = seen().slice(-1);
  if (request === undefined) throw new Error("nothing was sent");
  expect(verified(request, SECRET)).toEqual(verified(request, NEXT_SECRET));
});

test("any 2xx takes the event; a refusal of it is told from trouble with the receiver", async () => {
  for (const taken of [200, 202, 204]) {
    answers(taken);
    await send();
  }
  for (const refusal of [400, 413, 422]) {
    answers(refusal);
    await expect(send()).rejects.toBeInstanceOf(SecurityEventRefused);
  }
  for (const trouble of [401, 403, 404, 408, 410, 429, 500, 503]) {
    answers(trouble);
    await expect(send()).rejects.toThrow(`answered ${trouble}`);
    await expect(send()).rejects.not.toBeInstanceOf(SecurityEventRefused);
  }
});

test("a redirect is not followed: the event goes where the settings say", async () => {
  for (const redirect of [301, 302, 307, 308]) {
    answers(redirect);
    await expect(send()).rejects.toThrow(`answered ${redirect}`);
  }
  expect(receiver.calls("POST /elsewhere")).toEqual([]);
});

test("it gives up waiting when it is told to, and says so when nobody listens", async () => {
  receiver.answers(POST, () => {});
  const abort = new AbortController();
  const sent = send(abort.signal);
  abort.abort(new Error("no answer in time"));
  await expect(sent).rejects.toThrow("no answer in time");
  receiver.answers(POST, (request) => request.socket.destroy());
  await expect(send()).rejects.toThrow();
});

test("a process that is killed in the middle of a delivery: the next one delivers it again, under the same id", async () => {
  const path = place("sessions.db");
  receiver.answers(POST, () => {});
  const before = seen().length;
  const arrived = () => seen().slice(before);
  const first = startChild(path, 0);
  await vi.waitFor(() => expect(arrived().length).toBe(1), { timeout: 20_000, interval: 20 });
  first.kill("SIGKILL");
  await first.ended;
  answers(200);
  const second = startChild(path, 31_000);
  await vi.waitFor(() => expect(arrived().length).toBe(2), { timeout: 20_000, interval: 20 });
  const [one, again] = arrived().map(idOf);
  expect(again).toBe(one);
  second.kill("SIGKILL");
  await second.ended;
});

function startChild(path: string, aheadMs: number) {
  const script = fileURLToPath(new URL("delivery-child.fixture.ts", import.meta.url));
  const child = spawn(process.execPath, [script, path, hook().href, SECRET, String(aheadMs)], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  onTestFinished(() => void child.kill("SIGKILL"));
  return { kill: (signal: "SIGKILL") => child.kill(signal), ended };
}

test("two processes and a receiver in all sorts of trouble: every event arrives", async () => {
  const path = place("sessions.db");
  // A second lasts 20 ms, so that retries need no minutes.
  const SPEED = 50;
  const startedAt = Date.now();
  const clock = { now: () => startedAt + (Date.now() - startedAt) * SPEED };
  const engines = [0, 1].map(() =>
    createSessionEngine({
      store: openSqliteStore({ path }),
      secrets: ["a secret of this test that is long enough"],
      issuer: "https://pay.example.com",
      clock,
      every: (ms, task) => everyInterval(ms / SPEED, task),
      onSecurityEvent: securityWebhook({ url: hook(), secrets: [SECRET] }),
    }),
  );
  onTestFinished(async () => {
    await Promise.all(engines.map((engine) => engine.close()));
  });
  const taken = new Set<string>();
  const take: Handler = (request, response) => {
    taken.add(String(request.headers["webhook-id"]));
    response.end();
  };
  const troubles: Handler[] = [status(500), (request) => request.socket.destroy(), () => {}, status(429)];
  const script = Array.from({ length: 120 }, (_, n) => (n % 3 === 0 ? troubles[(n / 3) % 4] : take));
  receiver.answers(POST, ...script.filter((handler) => handler !== undefined), take);
  const revoked: string[] = [];
  for (const engine of engines) await engine.start();
  await Promise.all(
    engines.map(async (engine) => {
      for (let n = 0; n < 40; n += 1) revoked.push(await revokeOne(engine, clock.now()));
    }),
  );
  await vi.waitFor(() => expect(taken.size).toBe(80), { timeout: 25_000, interval: 50 });
  expect([...taken].sort()).toEqual(revoked.map((id) => `revocation_${id}`).sort());
  await vi.waitFor(
    () => expect(engines.map((engine) => engine.getStats().waitingEvents?.count)).toContain(0),
    { timeout: 25_000, interval: 50 },
  );
});

async function revokeOne(engine: ReturnType<typeof createSessionEngine>, now: number): Promise<string> {
  const challenge = { id: randomUUID(), expiresAt: now + 3_600_000 };
  const client = { browser: null, os: null, device: null, ip: null };
  const { session } = await engine.signIn({ actorId: "GABC", challenge }, { transport: "body", client });
  await engine.revokeSession(session.actorId, session.id);
  return session.id;
}
