import type { Logger } from "pino";
import { type Stopwatch, systemStopwatch } from "../clock.ts";
import { type Every, everyInterval } from "../engine/timers.ts";
import type { EventSink, SessionEvent } from "../events.ts";
import { isError } from "../foreign-errors.ts";
import type { FaultSink } from "../http/endpoint.ts";
import type { RequestSink } from "../http/observed.ts";
import {
  LOG_FAULT_MAX_CHARS,
  LOG_LINES_PER_WINDOW,
  LOG_SECURITY_LINES_PER_WINDOW,
  LOG_SESSION_IDS,
  LOG_WINDOW_MS,
} from "../limits.ts";
import { inRequest } from "../request-context.ts";

/** The log of what happens: a line each, as long as that is not too many of one kind. */
export interface EventLog {
  readonly onEvent: EventSink;
  readonly onRequest: RequestSink;
  readonly onFault: FaultSink;
  /** Says what was left out so far, and stops the timer. */
  close(): void;
}

export interface EventLogOptions {
  readonly logger: Logger;
  /** Told of each line that is left out, by its event. */
  readonly onDropped?: (event: string) => void;
  readonly every?: Every;
  readonly stopwatch?: Stopwatch;
}

type Level = "debug" | "info" | "warn" | "error";

/** Lines that are counted together. A closed set: what a client sends must not make a new one. */
interface LineKind {
  readonly level: Level;
  readonly event: string;
  /** What tells lines of the same event apart. */
  readonly code: string | null;
}

interface Window {
  readonly kind: LineKind;
  readonly startedAt: number;
  written: number;
  dropped: number;
}

/**
 * Writes events of the engine, answered requests and faults as lines of ids and codes, never a token. Of each kind (an event
 * and its code) the first 50 in ten seconds are written, of those that tell of ended sessions the first 1,000; the rest is
 * one line with its number. So a flood fills no disk, and hides no other kind.
 */
export function createEventLog(options: EventLogOptions): EventLog {
  const { logger, onDropped = () => {}, every = everyInterval, stopwatch = systemStopwatch } = options;
  const windows = new Map<string, Window>();
  const stop = every(LOG_WINDOW_MS, async () => settle());

  function end(key: string, { kind, dropped }: Window): void {
    windows.delete(key);
    if (dropped === 0) return;
    const { level, event, code } = kind;
    const line = { event: "lines_dropped", of: event, code, dropped, seconds: LOG_WINDOW_MS / 1_000 };
    inRequest(undefined, () => logger[level](line));
  }

  /** Ends the windows that are over, or all of them, and tells of what was left out in them. */
  function settle(all = false): void {
    const now = stopwatch();
    for (const [key, window] of windows) {
      if (all || now - window.startedAt >= LOG_WINDOW_MS) end(key, window);
    }
  }

  function windowOf(kind: LineKind): Window {
    const now = stopwatch();
    const key = `${kind.event} ${kind.code}`;
    const current = windows.get(key);
    if (current !== undefined && now - current.startedAt < LOG_WINDOW_MS) return current;
    if (current !== undefined) end(key, current);
    const next = { kind, startedAt: now, written: 0, dropped: 0 };
    windows.set(key, next);
    return next;
  }

  /** The first `most` lines of each kind in each window; of the rest the number. */
  function write(kind: LineKind, fields: object, most = LOG_LINES_PER_WINDOW): void {
    const { level, event } = kind;
    if (!logger.isLevelEnabled(level)) return;
    const window = windowOf(kind);
    if (window.written < most) {
      window.written += 1;
      logger[level]({ event, ...fields });
    } else {
      window.dropped += 1;
      onDropped(event);
    }
  }

  return {
    onEvent(event) {
      const { type, ...fields } = event;
      // What somebody may have to find one by one afterwards.
      const endsSessions = type === "reuse_detected" || type === "revoked";
      const most = endsSessions ? LOG_SECURITY_LINES_PER_WINDOW : LOG_LINES_PER_WINDOW;
      write({ level: LEVELS[type], event: type, code: codeOf(event) }, logged(event, fields), most);
    },
    onRequest(report) {
      const code = `${report.method} ${report.route} ${report.status}`;
      const durationMs = Math.round(report.durationMs * 1_000) / 1_000;
      write({ level: "debug", event: "request", code }, { ...report, durationMs });
    },
    onFault(error) {
      write({ level: "error", event: "fault", code: null }, { fault: describeFault(error) });
    },
    close() {
      stop();
      settle(true);
    },
  };
}

/** What a fault says of itself, with the causes under it. Names and messages only, and not too much of them. */
export function describeFault(error: unknown): string {
  return describe(error).slice(0, LOG_FAULT_MAX_CHARS);
}

function describe(error: unknown): string {
  if (!isError(error)) return typeof error;
  const code = "code" in error && typeof error.code === "string" ? ` [${error.code}]` : "";
  const cause = error.cause === undefined ? "" : ` <- ${describe(error.cause)}`;
  return `${error.name}${code}: ${error.message}${cause}`;
}

function logged(event: SessionEvent, fields: object): object {
  switch (event.type) {
    case "store_fault":
      return { step: event.step, fault: describeFault(event.cause) };
    case "security_event_failed": {
      const { id, sessionId, outcome, retryInMs, cause } = event;
      return { id, sessionId, outcome, retryInMs, fault: describeFault(cause) };
    }
    case "security_event_given_up":
      return { id: event.id, sessionId: event.sessionId, fault: describeFault(event.cause) };
    case "revoked": {
      const { sessionIds } = event;
      return { ...fields, sessions: sessionIds.length, sessionIds: sessionIds.slice(0, LOG_SESSION_IDS) };
    }
    default:
      return fields;
  }
}

const LEVELS: Readonly<Record<SessionEvent["type"], Level>> = {
  refreshed: "debug",
  refresh_refused: "debug",
  revocation_learned: "debug",
  security_event_delivered: "debug",
  signed_in: "info",
  bound: "info",
  revoked: "info",
  signing_key_added: "info",
  reuse_detected: "warn",
  proof_failed: "warn",
  revocations_reasserted: "warn",
  signing_key_unreadable: "warn",
  security_event_failed: "warn",
  security_event_given_up: "error",
  security_events_expired: "error",
  store_fault: "error",
};

/** What tells lines of one event apart that must not take each other's place. */
function codeOf(event: SessionEvent): string | null {
  if ("outcome" in event) return event.outcome;
  if ("why" in event) return event.why;
  if ("reason" in event) return event.reason;
  return "step" in event ? event.step : null;
}
