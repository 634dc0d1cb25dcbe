import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { runInForeground } from "./child.mjs";
import { next } from "./next.ts";

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = "3000";
const POLL_MS = 100;

/**
 * Serves the app on HOST and PORT until it is told to stop, and says where once it answers. A server that ends with the
 * exit code `restartOn` is started again. Returns the exit code.
 */
export async function serve(
  name: "start" | "dev",
  { restartOn }: { restartOn?: number } = {},
): Promise<number> {
  const host = process.env.HOST || DEFAULT_HOST;
  const port = await freePort(host, process.env.PORT || DEFAULT_PORT);
  const { env, ...command } = next(name, "--hostname", host, "--port", String(port));
  const server = { ...command, env: { ...env, PORT: String(port), WALLET_SESSION_MODE: mode() } };
  while (true) {
    const ended = runInForeground(server);
    const announced = new AbortController();
    announce(host, port, announced.signal).catch(() => {});
    const code = await ended;
    announced.abort();
    if (code !== restartOn) return code;
    console.log("\nThe server has ended as it was asked to, and is started again.");
  }
}

/**
 * Whether the server may make its own secrets and offer the demo wallet. Next sets NODE_ENV to production whenever it
 * serves a build, so the app cannot tell from that; what the operator said can.
 */
function mode(): "production" | "development" {
  return process.env.NODE_ENV === "production" ? "production" : "development";
}

/** The port that PORT names, found free; 0 takes any. */
async function freePort(host: string, text: string): Promise<number> {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) return refuse(`PORT must be a whole number from 0 to 65535, not "${text}".`);
  const probe = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once("error", reject).once("listening", resolve).listen(port, host);
    });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : error;
    if (code === "EADDRINUSE") return refuse(`Port ${port} on ${host} is taken. Set PORT to another one.`);
    return refuse(`Cannot listen on HOST ${host}, PORT ${port}: ${code}.`);
  }
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return address !== null && typeof address === "object" ? address.port : port;
}

function refuse(why: string): never {
  console.error(why);
  process.exit(1);
}

async function announce(host: string, port: number, signal: AbortSignal): Promise<void> {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  const authority = reachable.includes(":") ? `[${reachable}]` : reachable;
  while (true) {
    try {
      const answer = await fetch(`http://${authority}:${port}/api/healthz`, { signal });
      const url = process.env.PUBLIC_URL || `http://localhost:${port}`;
      if (answer.ok) console.log(`\nReady: open ${url} (Ctrl-C stops the server).`);
      else console.error(`\nThe server answers on port ${port}, but says it is not well: ${answer.status}.`);
      return;
    } catch {
      await delay(POLL_MS, undefined, { signal });
    }
  }
}
