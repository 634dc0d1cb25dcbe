// A PostgreSQL and a Redis of the test's own, to be killed, stopped and started again. What they have acknowledged is on disk.
import {
  type OwnServer,
  ownServer,
} from "../../packages/wallet-session/src/stores/postgres/server.fixture.ts";
import { startOwnServer } from "../../packages/wallet-session/src/stores/redis/own-server.fixture.ts";

/** To be killed, and to stand still as a whole with its connections open. */
export type StoreServer = Pick<OwnServer, "url" | "freeze" | "thaw" | "kill" | "start" | "remove">;

export const startPostgres = ownServer;

export async function startRedis(): Promise<StoreServer> {
  const { url, signal, kill, start, end } = await startOwnServer(
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
  );
  return { url, freeze: () => signal("SIGSTOP"), thaw: () => signal("SIGCONT"), kill, start, remove: end };
}
