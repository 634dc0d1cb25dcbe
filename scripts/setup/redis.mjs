// @ts-check
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

const USUAL_URL = "redis://127.0.0.1:6379";
const STARTED_WITHIN_MS = 5_000;

/**
 * Whether the tests of the Redis store can run: on a real server, at `REDIS_URL` or on this machine. Where there is none,
 * all the others run and the reader is told. In CI nothing is left out, so there they fail.
 *
 * @param {Record<string, string | undefined>} env
 * @returns {Promise<{ isThere: boolean, note?: string }>}
 */
export async function redisToTestWith(env = process.env) {
  if (env.CI) return { isThere: true };
  const url = env.REDIS_URL || USUAL_URL;
  if (await answers(url)) return { isThere: true };
  const place = URL.canParse(url) ? new URL(url).host : "REDIS_URL";
  return {
    isThere: false,
    note: `The tests of the Redis store did NOT run: no server answers at ${place}, and there is no redis-server to start. REDIS_URL names another.`,
  };
}

/**
 * Starts a server for the tests where none is named and none answers, and names it in `env.REDIS_URL`. It keeps nothing.
 * Where there is no `redis-server`, nothing happens.
 *
 * @param {Record<string, string | undefined>} env
 * @returns {Promise<() => void>} what ends it
 */
export async function startRedisWhereNoneAnswers(env = process.env) {
  if (env.REDIS_URL || (await answers(USUAL_URL))) return () => {};
  const directory = mkdtempSync(join(tmpdir(), "redis-to-test-with-"));
  const port = await freePort();
  const options = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", directory, "--save", ""];
  const server = spawn("redis-server", options, { stdio: "ignore" });
  const stop = () => {
    server.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  };
  const failed = once(server, "exit").then(
    () => true,
    () => true,
  );
  const url = `redis://127.0.0.1:${port}`;
  for (let waited = 0; waited < STARTED_WITHIN_MS; waited += 50) {
    if (await Promise.race([failed, setTimeout(50, false)])) break;
    if (await answers(url)) {
      env.REDIS_URL = url;
      return stop;
    }
  }
  stop();
  return () => {};
}

/** By the plain protocol: the driver may not be installed yet. One that asks for a password answers too. @param {string} url */
async function answers(url) {
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

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  return address.port;
}
