import { expect, test } from "vitest";
import type { SessionEvent } from "./events.ts";
import { createLogger, describeFault, logEvents } from "./logging.ts";

const EVENTS: SessionEvent[] = [
  { type: "signed_in", actorId: "G", sessionId: "s", transport: "body" },
  { type: "refreshed", outcome: "rotated", actorId: "G", sessionId: "s", generation: 2 },
  { type: "refresh_refused", code: "refresh_token_invalid", why: "malformed", sessionId: null },
  { type: "reuse_detected", actorId: "G", sessionId: "s", presentedGeneration: 1, currentGeneration: 2 },
  { type: "revoked", reason: "logout", actorId: "G", sessionIds: ["s"] },
  { type: "signing_key_added", kid: "k" },
  { type: "signing_key_unreadable", kid: "k" },
  { type: "store_fault", step: "rotate", cause: new Error("disk full") },
];

test("each event is one line, at the level of what a person should do about it", () => {
  const lines: { level: number; event: string }[] = [];
  const logger = createLogger("debug", { write: (line) => lines.push(JSON.parse(line)) });
  const log = logEvents(logger);
  for (const event of EVENTS) log(event);
  expect(lines.map(({ event, level }) => `${event} ${logger.levels.labels[level]}`)).toEqual([
    "signed_in info",
    "refreshed debug",
    "refresh_refused debug",
    "reuse_detected warn",
    "revoked info",
    "signing_key_added info",
    "signing_key_unreadable warn",
    "store_fault error",
  ]);
  expect(lines.at(-1)).toMatchObject({ step: "rotate", fault: "Error: disk full" });
});

test("a fault is described with its causes and codes", () => {
  const root = Object.assign(new Error("no space"), { code: "ENOSPC" });
  expect(describeFault(new TypeError("write failed", { cause: root }))).toBe(
    "TypeError: write failed <- Error [ENOSPC]: no space",
  );
  expect(describeFault("text")).toBe("string");
});
