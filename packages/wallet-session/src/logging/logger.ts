import { type Logger, pino } from "pino";
import type { LogLevel } from "../config/config.ts";
import { currentRequest } from "../request-context.ts";

export type { Logger };

/**
 * Structured JSON lines, on standard output unless they are wanted elsewhere. What is logged while a request is answered
 * carries its `requestId`, whatever logs it.
 */
export function createLogger(level: LogLevel, output?: { write(line: string): void }): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, mixin: requestFields };
  return output === undefined ? pino(options) : pino(options, output);
}

function requestFields(): { requestId?: string } {
  const request = currentRequest();
  return request === undefined ? {} : { requestId: request.requestId };
}
