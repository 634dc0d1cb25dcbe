import { type Logger, pino } from "pino";
import type { LogLevel } from "./config/config.ts";
import type { EventSink, SessionEvent } from "./events.ts";

export type { Logger };

/** Structured JSON lines, on standard output unless they are wanted elsewhere. */
export function createLogger(level: LogLevel, output?: { write(line: string): void }): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  return output === undefined ? pino(options) : pino(options, output);
}

/** Writes each event of the engine as one line: ids and codes, never a token. */
export function logEvents(logger: Logger): EventSink {
  return (event) => {
    const { type, ...fields } = event;
    if (event.type === "store_fault") {
      logger[levelOf(event)]({ event: type, step: event.step, fault: describeFault(event.cause) });
    } else {
      logger[levelOf(event)]({ event: type, ...fields });
    }
  };
}

/** What a fault says of itself, with the causes under it. Names and messages only. */
export function describeFault(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const code = "code" in error && typeof error.code === "string" ? ` [${error.code}]` : "";
  const cause = error.cause === undefined ? "" : ` <- ${describeFault(error.cause)}`;
  return `${error.name}${code}: ${error.message}${cause}`;
}

function levelOf(event: SessionEvent): "debug" | "info" | "warn" | "error" {
  switch (event.type) {
    case "refreshed":
    case "refresh_refused":
      return "debug";
    case "signed_in":
    case "revoked":
    case "signing_key_added":
      return "info";
    case "reuse_detected":
    case "signing_key_unreadable":
      return "warn";
    case "store_fault":
      return "error";
  }
}
