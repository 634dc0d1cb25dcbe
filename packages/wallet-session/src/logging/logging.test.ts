import { expect, onTestFinished, test } from "vitest";
import type { LogLevel } from "../config/config.ts";
import { startEngine } from "../engine/engine.fixture.ts";
import type { SessionEvent } from "../events.ts";
import { startHttp } from "../http/http.fixture.ts";
import type { SessionId } from "../session-id.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { createEventLog, describeFault } from "./event-log.ts";
import { createLogger } from "./logger.ts";

const SESSION_ID = "s" as SessionId;

const EVENTS: SessionEvent[] = [
  { type: "signed_in", actorId: "G", sessionId: SESSION_ID, transport: "body" },
  { type: "refreshed", outcome: "rotated", actorId: "G", sessionId: SESSION_ID, generation: 2 },
  { type: "refresh_refused", code: "refresh_token_invalid", why: "malformed", sessionId: null },
  {
    type: "reuse_detected",
    actorId: "G",
    sessionId: SESSION_ID,
    presentedGeneration: 1,
    currentGeneration: 2,
  },
  { type: "revoked", reason: "logout", actorId: "G", sessionIds: [SESSION_ID] },
  { type: "revocation_learned", sessionId: SESSION_ID, lagMs: 12 },
  { type: "revocations_reasserted", count: 3 },
  { type: "revocations_reasserted", count: 5 },
  { type: "security_event_delivered", id: "e", sessionId: SESSION_ID },
  {
    type: "security_event_failed",
    id: "e",
    sessionId: SESSION_ID,
    outcome: "unavailable",
    retryInMs: 1_000,
    cause: new Error("refused"),
  },
  { type: "security_event_given_up", id: "e", sessionId: SESSION_ID, cause: new Error("not valid") },
  { type: "security_events_expired", events: 3 },
  { type: "signing_key_added", kid: "k" },
  { type: "signing_key_unreadable", kid: "k" },
  { type: "store_fault", step: "rotate", cause: new Error("disk full") },
];

interface Line {
  readonly level: number;
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A log whose window the test ends. */
function startLog(level: LogLevel = "debug") {
  const lines: Line[] = [];
  const dropped = new Map<string, number>();
  let bytes = 0;
  let now = 0;
  let tick = async () => {};
  const logger = createLogger(level, {
    write(line) {
      bytes += line.length;
      lines.push(JSON.parse(line));
    },
  });
  const log = createEventLog({
    logger,
    onDropped: (event) => dropped.set(event, (dropped.get(event) ?? 0) + 1),
    stopwatch: () => now,
    every: (_, task) => {
      tick = task;
      return () => {
        tick = async () => {};
      };
    },
  });
  onTestFinished(log.close);
  return {
    ...log,
    logger,
    lines,
    dropped,
    bytes: () => bytes,
    pass: async (ms: number) => {
      now += ms;
      await tick();
    },
    of: (event: string) => lines.filter((line) => line.event === event),
  };
}

test("each event is one line, at the level of what a person should do about it", () => {
  const { onEvent, lines, logger } = startLog();
  for (const event of EVENTS) onEvent(event);
  expect(lines.map(({ event, level }) => `${event} ${logger.levels.labels[level]}`)).toEqual([
    "signed_in info",
    "refreshed debug",
    "refresh_refused debug",
    "reuse_detected warn",
    "revoked info",
    "revocation_learned debug",
    "revocations_reasserted warn",
    "revocations_reasserted warn",
    "security_event_delivered debug",
    "security_event_failed warn",
    "security_event_given_up error",
    "security_events_expired error",
    "signing_key_added info",
    "signing_key_unreadable warn",
    "store_fault error",
  ]);
  expect(lines.at(-1)).toMatchObject({ step: "rotate", fault: "Error: disk full" });
  const of = (name: string) => lines.find(({ event }) => event === name);
  expect(of("security_event_failed")).toMatchObject({ outcome: "unavailable", fault: "Error: refused" });
  expect(of("security_event_given_up")).toMatchObject({ id: "e", fault: "Error: not valid" });
});

test("a fault is described with its causes and codes, and not at any length", () => {
  const root = Object.assign(new Error("no space"), { code: "ENOSPC" });
  expect(describeFault(new TypeError("write failed", { cause: root }))).toBe(
    "TypeError: write failed <- Error [ENOSPC]: no space",
  );
  expect(describeFault("text")).toBe("string");
  expect(describeFault(new Error("x".repeat(100_000))).length).toBe(1_000);
});

test("of too many lines of a kind the first are written, and of the rest the number, exactly", async () => {
  const { onEvent, of, dropped, pass } = startLog("info");
  const fault = (step: string) =>
    onEvent({ type: "store_fault", step, cause: new Error("no route to host") });
  for (let n = 0; n < 10_000; n += 1) fault("rotate");
  // Another kind is not hidden by it.
  fault("prune");
  expect(of("store_fault").length).toBe(51);
  expect(dropped).toEqual(new Map([["store_fault", 9_950]]));
  await pass(9_999);
  expect(of("lines_dropped")).toEqual([]);
  await pass(1);
  expect(of("lines_dropped")).toMatchObject([
    { of: "store_fault", code: "rotate", dropped: 9_950, seconds: 10, level: 50 },
  ]);
  fault("rotate");
  await pass(10_000);
  expect([of("store_fault").length, of("lines_dropped").length]).toEqual([52, 1]);
});

test("a window that is over ends with its next line too, and at the close", async () => {
  const { onEvent, of, close } = startLog();
  const log = startLog();
  const refuse = () =>
    log.onEvent({
      type: "refresh_refused",
      code: "refresh_token_invalid",
      why: "malformed",
      sessionId: null,
    });
  for (let n = 0; n < 60; n += 1) refuse();
  log.close();
  expect(log.of("lines_dropped")).toMatchObject([{ dropped: 10 }]);
  for (let n = 0; n < 60; n += 1) refuse();
  await log.pass(10_000);
  refuse();
  expect(log.of("lines_dropped")).toMatchObject([{ dropped: 10 }, { dropped: 10 }]);
  onEvent({ type: "signing_key_added", kid: "k" });
  close();
  expect(of("lines_dropped")).toEqual([]);
});

test("what ends sessions is written a thousand times where other lines are fifty, and no line is endless", () => {
  const { onEvent, of, dropped } = startLog("info");
  const sessionIds = Array.from({ length: 5_000 }, (_, n) => `session-${n}` as SessionId);
  for (let n = 0; n < 1_500; n += 1) {
    onEvent({ type: "revoked", reason: "admin", actorId: "G", sessionIds });
    onEvent({ type: "signed_in", actorId: "G", sessionId: SESSION_ID, transport: "body" });
  }
  expect([of("revoked").length, of("signed_in").length]).toEqual([1_000, 50]);
  expect(of("revoked")[0]).toMatchObject({ sessions: 5_000, sessionIds: sessionIds.slice(0, 20) });
  expect(dropped).toEqual(
    new Map([
      ["signed_in", 1_450],
      ["revoked", 500],
    ]),
  );
});

test("lines that the level leaves out cost nothing of what may be written, and are not called dropped", () => {
  const { onEvent, onRequest, lines, dropped } = startLog("info");
  for (let n = 0; n < 1_000; n += 1) {
    onEvent({ type: "refreshed", outcome: "rotated", actorId: "G", sessionId: SESSION_ID, generation: 2 });
    onRequest({ ...REPORT });
  }
  expect([lines, dropped.size]).toEqual([[], 0]);
});

const REPORT = {
  requestId: "r",
  actorId: null,
  sessionId: null,
  code: null,
  method: "GET",
  route: "/",
  status: 200,
  durationMs: 0.123456,
  skipped: null,
};

test("a request is a line with its id, whose it was, and how it ended; so are the lines it led to", async () => {
  const log = startLog();
  const { send, signIn } = await startHttp({
    onRequest: log.onRequest,
    onFault: log.onFault,
    engineOptions: { onEvent: log.onEvent },
  });
  const { refresh_token, session_id } = await signIn();
  log.lines.length = 0;
  const answer = await send("POST", "/api/auth/refresh", { body: { refresh_token } });
  const requestId = answer.headers.get("X-Request-Id");
  expect(log.lines).toMatchObject([
    { event: "refreshed", outcome: "rotated", sessionId: session_id, requestId },
    {
      event: "request",
      method: "POST",
      route: "/api/auth/refresh",
      status: 200,
      code: null,
      sessionId: session_id,
      requestId,
    },
  ]);
  expect(log.lines[1]?.actorId).toBe(log.lines[0]?.actorId);
});

test("100,000 garbage tokens fill no disk, at any level, and are counted to the last", async () => {
  const log = startLog("trace");
  let refused = 0;
  const { engine } = await startEngine(createMemoryStore(), {
    onEvent: (event) => {
      if (event.type === "refresh_refused") refused += 1;
      log.onEvent(event);
    },
  });
  for (let n = 0; n < 100_000; n += 1) await engine.refresh("garbage").catch(() => {});
  await log.pass(10_000);
  expect(refused).toBe(100_000);
  expect(log.dropped).toEqual(new Map([["refresh_refused", 99_950]]));
  expect(log.of("lines_dropped")).toMatchObject([{ dropped: 99_950 }]);
  expect(log.bytes()).toBeLessThan(20_000);
});
