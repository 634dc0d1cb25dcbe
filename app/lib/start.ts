import { ConfigError } from "wallet-session/config";
import { publishPeerAddress } from "wallet-session/http";
import { startAuth } from "./auth.ts";

/** Starts what the routes stand on. Ends the process with a plain sentence when it cannot. */
export async function startApp(): Promise<void> {
  publishPeerAddress();
  try {
    await startAuth();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : "";
    process.stderr.write(
      error instanceof ConfigError ? `${reason}\n` : `The server cannot start: ${reason}${cause}\n`,
    );
    process.exit(1);
  }
}
