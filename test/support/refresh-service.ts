import { setTimeout as delay } from "node:timers/promises";
import { type Adapter, sqliteHooks } from "../../packages/refresh-conformance/src/index.ts";
import { type REFRESH_KINDS, refreshAdapter } from "../../packages/wallet-session/test/refresh-adapter.ts";
import { startServe } from "./app-server.ts";
import { COOKIE_NAME } from "./cookies.ts";

/** Short enough to be waited for, and long enough for a restart on a busy machine. */
const IDLE_MS = 20_000;
const LEEWAY_MS = 5_000;

/** `npx wallet-session serve` on SQLite, as the refresh conformance suite meets it. */
export async function startRefreshService(
  kind: (typeof REFRESH_KINDS)[number],
): Promise<{ adapter: Adapter; url: string; stop: () => Promise<void> }> {
  const server = await startServe({
    ACCESS_TOKEN_TTL: "20s",
    REFRESH_LEEWAY: `${LEEWAY_MS / 1_000}s`,
    REFRESH_IDLE_TTL: `${IDLE_MS / 1_000}s`,
    LOG_LEVEL: "warn",
  });
  const adapter = refreshAdapter(kind, {
    name: "npx wallet-session serve on SQLite",
    publicUrl: server.publicUrl,
    cookieName: COOKIE_NAME,
    idleMs: IDLE_MS,
    leewayMs: LEEWAY_MS,
    send: (path, init) => fetch(server.address + path, init),
    now: Date.now,
    wait: (milliseconds) => delay(milliseconds),
    restart: () => server.restart("SIGKILL"),
    ...sqliteHooks(server.databasePath, ["sessions"]),
  });
  return { adapter, url: server.address, stop: () => server.stop() };
}
