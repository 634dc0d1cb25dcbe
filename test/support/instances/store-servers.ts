// A PostgreSQL and a Redis of the test's own, to be killed, stopped and started again. Their acknowledged writes are on disk.
import type { SessionStore } from "wallet-session";
import { openPostgresStore } from "wallet-session/stores/postgres";
import { openRedisStore } from "wallet-session/stores/redis";
import {
  type OwnServer,
  ownServer,
} from "../../../packages/wallet-session/src/stores/postgres/server.fixture.ts";
import { startOwnServer } from "../../../packages/wallet-session/src/stores/redis/own-server.fixture.ts";

/** To be killed, and to stand still as a whole with its connections open. */
export type StoreServer = Pick<OwnServer, "url" | "freeze" | "thaw" | "kill" | "start" | "remove">;

export const STORES: readonly {
  readonly name: string;
  startServer(): Promise<StoreServer>;
  openStore(url: string): SessionStore;
}[] = [
  { name: "PostgreSQL", startServer: ownServer, openStore: (url) => openPostgresStore({ url }) },
  { name: "Redis", startServer: startRedis, openStore: (url) => openRedisStore({ url }) },
];

async function startRedis(): Promise<StoreServer> {
  const { url, signal, kill, start, end } = await startOwnServer(
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
  );
  return { url, freeze: () => signal("SIGSTOP"), thaw: () => signal("SIGCONT"), kill, start, remove: end };
}
