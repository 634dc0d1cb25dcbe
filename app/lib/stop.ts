import { reportFault, sessions } from "./auth.ts";
import { stopOperations } from "./operations/running.ts";
import { stopStarting } from "./start.ts";

/** How long what is being answered may take to its end once the process was told to stop. */
const STOP_WITHIN_MS = 10_000;

const SIGNALS = [
  ["SIGTERM", 143],
  ["SIGINT", 130],
] as const;

/**
 * Lets the server end when it is told to. Next stops listening by itself and then waits for all answers to end, which an
 * event stream never does: so the streams are ended here. A client that takes no bytes cannot be told so, and does not
 * hold up the stop for more than 10 s. Long operations finish the step at hand and are given back, so that another process
 * goes on with them at once; the security events are left to another process when the last answer is out.
 */
export function stopOnSignal(
  { endWork, letGo }: Stop = stopOfTheApp,
  exit: (code?: number | string | null) => void = process.exit,
): void {
  for (const [signal, code] of SIGNALS) {
    process.once(signal, () => {
      const ended = endWork();
      // Next exits as soon as the last answer is out, and knows of no other work.
      process.exit = ((given) => void ended.then(letGo).then(() => exit(given))) as typeof process.exit;
      setTimeout(() => exit(code), STOP_WITHIN_MS).unref();
    });
  }
}

/** What has to be done before the process is gone. Neither rejects. */
interface Stop {
  /** At once. */
  readonly endWork: () => Promise<void>;
  /** When nothing is answered any more. */
  readonly letGo: () => Promise<void>;
}

const stopOfTheApp: Stop = {
  endWork() {
    stopStarting();
    sessions.handlers.closeEventStreams();
    return stopOperations().catch(reportFault);
  },
  letGo: () => sessions.close().catch(reportFault),
};
