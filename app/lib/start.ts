import { ConfigError } from "wallet-session/config";
import { publishPeerAddress } from "wallet-session/http";
import { startAuth } from "./auth.ts";

/** Starts what the routes stand on. When it cannot, says why in a plain sentence and ends the process. */
export async function startApp(giveUp: (why: string) => void = endProcess): Promise<void> {
  publishPeerAddress();
  try {
    await startAuth();
  } catch (error) {
    giveUp(describeFailure(error));
  }
}

function describeFailure(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (!(error instanceof Error)) return "The server cannot start.";
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
  return `The server cannot start: ${error.message}${cause}`;
}

function endProcess(why: string): void {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}
