import { setTimeout } from "node:timers/promises";
import { ConfigError, describeFault, outageAtStart } from "wallet-session/server";
import { reportFault, sessions } from "./auth.ts";
import { startOperations } from "./operations/running.ts";
import { readAppSettings } from "./settings.ts";
import { finishSettlements } from "./streams/command.ts";
import { streamsContext } from "./streams/context.ts";

/** How often a start is tried again while a store does not answer. */
const TRY_AGAIN_MS = 1_000;

const stopping = new AbortController();

/**
 * Starts what the routes stand on. Where a store does not answer, this says so and resolves: requests are answered 503, and it
 * is tried again until the store is there. What waiting does not cure is said in a plain sentence, and ends the process.
 */
export async function startApp(
  giveUp: (why: string) => void = endProcess,
  tryAgainMs = TRY_AGAIN_MS,
): Promise<void> {
  const outage = await tryToStart(giveUp);
  if (outage === null) return;
  process.stderr.write(`${outage}\n`);
  void keepTrying(giveUp, tryAgainMs);
}

/** For a stop: nothing is started any more. */
export function stopStarting(): void {
  stopping.abort();
}

async function keepTrying(giveUp: (why: string) => void, tryAgainMs: number): Promise<void> {
  const { signal } = stopping;
  do await setTimeout(tryAgainMs, undefined, { signal }).catch(() => {});
  while (!signal.aborted && (await tryToStart(giveUp)) !== null);
}

/** Why it has to be tried again; null where it has started, or has given up. */
async function tryToStart(giveUp: (why: string) => void): Promise<string | null> {
  try {
    await startAll();
    return null;
  } catch (error) {
    const outage = outageAtStart(error);
    if (outage === null)
      giveUp(
        error instanceof ConfigError ? error.message : `The server cannot start: ${describeFault(error)}`,
      );
    return outage;
  }
}

async function startAll(): Promise<void> {
  const problems = [...problemsOf(() => sessions.config), ...problemsOf(() => readAppSettings(process.env))];
  if (problems.length > 0) throw new ConfigError(problems);
  await sessions.start();
  const context = await streamsContext();
  if (stopping.signal.aborted) return;
  // Nobody waits for these: what they have left is finished by the next command on its stream.
  finishSettlements(context).catch(reportFault);
  startOperations(context);
}

/** The settings that a part cannot use: those of all parts are told at once. */
function problemsOf(settingsOf: () => unknown): readonly string[] {
  try {
    settingsOf();
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

function endProcess(why: string): void {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}
