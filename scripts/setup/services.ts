// What tests need beside the packages. Where one of them is missing, all the other tests run and the reader is told; in CI
// nothing is left out, so there they fail. Each function returns what to tell, or null where the thing is there.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import pg from "pg";
import { startOwnServer } from "../../packages/wallet-session/src/stores/redis/own-server.fixture.ts";

type Environment = Record<string, string | undefined>;

const USUAL_REDIS = "redis://127.0.0.1:6379";

/** Chromium, the one thing that npm cannot bring. */
export function noBrowser(env: Environment = process.env): string | null {
  const executable = chromium(env);
  if (env.CI || existsSync(executable)) return null;
  return `The tests in test/browser did NOT run: there is no Chromium at ${executable}. On Debian: apt-get install chromium`;
}

/** The same engine twice: the headless shell has no window around it, and takes half the processor time. */
const CHROMIUMS = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];

/** The Chromium that the tests drive. It may not be there. */
export function chromium(env: Environment = process.env): string {
  return env.CHROMIUM ?? CHROMIUMS.find(existsSync) ?? "/usr/bin/chromium";
}

/** Where the Chromium is that binds sessions to keys kept in software. */
export function deviceChromium(env: Environment = process.env): string {
  const { XDG_CACHE_HOME, HOME = "" } = env;
  const home =
    env.DEVICE_CHROMIUM_DIR ?? join(XDG_CACHE_HOME || join(HOME, ".cache"), "wallet-session/chromium-150");
  return join(home, "usr/lib/chromium/chromium");
}

/** That Chromium. Debian's archive may have dropped it, so CI does without as well. */
export function noDeviceBrowser(env: Environment = process.env): string | null {
  if (existsSync(deviceChromium(env))) return null;
  return "The tests with device keys in a real browser did NOT run: scripts/setup/device-chromium.sh fetches Chromium 150.";
}

/** gcc, which builds the disk whose power is cut. */
export function noCompiler(env: Environment = process.env): string | null {
  if (env.CI || spawnSync("gcc", ["--version"], { env: { NODE_ENV: "test", ...env } }).status === 0)
    return null;
  return "The tests of power cuts did NOT run: there is no gcc. On Debian: apt-get install gcc libc6-dev";
}

/** A PostgreSQL server, at `POSTGRES_URL` or on this machine, whose user may make databases. */
export async function noPostgres(env: Environment = process.env): Promise<string | null> {
  const url = env.POSTGRES_URL || "postgres://postgres@127.0.0.1:5432/postgres";
  if (env.CI || (await mayMakeDatabases(url))) return null;
  return `The tests on PostgreSQL did NOT run: no server at ${placeOf(url, "POSTGRES_URL")} lets them make databases. POSTGRES_URL names another.`;
}

/** A Redis server, at `REDIS_URL` or on this machine. */
export async function noRedis(env: Environment = process.env): Promise<string | null> {
  const url = env.REDIS_URL || USUAL_REDIS;
  if (env.CI || (await answers(url))) return null;
  return `The tests of the Redis store did NOT run: no server answers at ${placeOf(url, "REDIS_URL")}, and there is no redis-server to start. REDIS_URL names another.`;
}

/** The host, without a password that the URL may have. */
function placeOf(url: string, setting: string): string {
  return URL.canParse(url) ? new URL(url).host : setting;
}

async function mayMakeDatabases(connectionString: string): Promise<boolean> {
  try {
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2_000, query_timeout: 2_000 });
    client.on("error", () => {});
    await client.connect();
    try {
      const text = "SELECT 1 FROM pg_roles WHERE rolname = current_user AND (rolcreatedb OR rolsuper)";
      return (await client.query(text)).rowCount === 1;
    } finally {
      await client.end();
    }
  } catch {
    return false;
  }
}

/**
 * Starts a Redis server for the tests where none is named and none answers, and names it in `env.REDIS_URL`. It keeps nothing.
 * Where there is no `redis-server`, nothing happens. The function returned ends it.
 */
export async function startRedisWhereNoneAnswers(env: Environment = process.env): Promise<() => void> {
  if (env.REDIS_URL || (await answers(USUAL_REDIS))) return () => {};
  const server = await startOwnServer().catch(() => null);
  if (server === null) return () => {};
  env.REDIS_URL = server.url;
  return () => {
    server.signal("SIGKILL");
    rmSync(server.directory, { recursive: true, force: true });
  };
}

/** By the plain protocol. A server that asks for a password answers too. */
async function answers(url: string): Promise<boolean> {
  if (!URL.canParse(url)) return false;
  const { hostname, port, protocol } = new URL(url);
  if (protocol === "rediss:") return true;
  const socket = connect(Number(port || 6379), hostname);
  socket.on("error", () => {});
  socket.setTimeout(2_000, () => socket.destroy());
  try {
    socket.write("PING\r\n");
    const [answer] = await Promise.race([once(socket, "data"), once(socket, "close")]);
    return /^(\+PONG|-NOAUTH)/.test(`${answer}`);
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
