import { ConfigError } from "wallet-session/config";
import { publishPeerAddress } from "wallet-session/http";
import { describeFault } from "wallet-session/logging";
import { startAuth } from "./auth.ts";

/** Starts what the routes stand on. When it cannot, says why in a plain sentence and ends the process. */
export async function startApp(giveUp: (why: string) => void = endProcess): Promise<void> {
  publishPeerAddress();
  try {
    await startAuth();
  } catch (error) {
    giveUp(error instanceof ConfigError ? error.message : `The server cannot start: ${describeFault(error)}`);
  }
}

function endProcess(why: string): void {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}
