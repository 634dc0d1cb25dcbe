import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createWalletKeypair } from "wallet-session/testing";
import { next } from "../../scripts/setup/next.mjs";

const HOST = "127.0.0.1";
const READY_WITHIN_MS = 30_000;
const POLL_MS = 25;

export type Settings = Readonly<Record<string, string>>;

/** One built app on its own port, with its own settings and data. */
export interface AppServer {
  /** Where it listens. */
  readonly address: string;
  /** Where its settings say that browsers find it: what cookies are accepted from. */
  readonly publicUrl: string;
  readonly databasePath: string;
  readonly settings: Settings;
  /** All that it has printed, over all restarts. */
  output(): string;
  /** Ends the process, waits until it is gone, and starts it again on the same port and data. */
  restart(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Ends the process without another start. */
  kill(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  start(): Promise<void>;
  /** Ends the process and removes its data. */
  stop(): Promise<void>;
}

/**
 * Starts the built app as `npm start` does, on a free port of the loopback, and resolves when it is ready. Rate limits are
 * off and everything is logged, unless the settings say otherwise. `data`: another server, whose database it shares.
 */
export async function startApp(given: Settings = {}, data?: AppServer): Promise<AppServer> {
  const directory = mkdtempSync(join(tmpdir(), "app-server-"));
  const port = await freePort();
  const databasePath = data?.databasePath ?? join(directory, "sessions.db");
  const settings: Settings = {
    PORT: String(port),
    DATABASE_URL: `sqlite:${databasePath}`,
    AUTH_SECRET: data?.settings.AUTH_SECRET ?? randomBytes(48).toString("base64url"),
    STELLAR_SIGNING_SEED: data?.settings.STELLAR_SIGNING_SEED ?? createWalletKeypair().seed,
    RATE_LIMIT: "off",
    LOG_LEVEL: "trace",
    ...given,
  };
  const address = `http://${HOST}:${port}`;
  const chunks: Buffer[] = [];
  const output = () => Buffer.concat(chunks).toString("utf8");
  let child = null as ChildProcess | null;

  async function start(): Promise<void> {
    const started = spawnApp(settings, (chunk) => chunks.push(chunk));
    child = started;
    for (const deadline = Date.now() + READY_WITHIN_MS; Date.now() < deadline; await delay(POLL_MS)) {
      if (hasEnded(started)) break;
      if (await answersReady(address)) return;
    }
    await end(started, "SIGKILL");
    throw new Error(`The app did not become ready:\n${output()}`);
  }

  async function kill(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    if (child !== null) await end(child, signal);
    child = null;
  }

  await start();
  return {
    address,
    publicUrl: settings.PUBLIC_URL ?? `http://localhost:${port}`,
    databasePath,
    settings,
    output,
    start,
    kill,
    async restart(signal) {
      await kill(signal);
      await start();
    },
    async stop() {
      await kill("SIGKILL");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Starts the app with settings that it must refuse. Resolves when it has ended. */
export async function startAppToItsEnd(settings: Settings): Promise<{ code: number | null; output: string }> {
  const chunks: Buffer[] = [];
  const child = spawnApp({ PORT: String(await freePort()), ...settings }, (chunk) => chunks.push(chunk));
  const timer = setTimeout(() => child.kill("SIGKILL"), READY_WITHIN_MS);
  await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  return { code: child.exitCode, output: Buffer.concat(chunks).toString("utf8") };
}

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** The command that `npm start` ends in. Nothing of this process's own settings reaches it. */
function spawnApp(settings: Settings, onOutput: (chunk: Buffer) => void): ChildProcess {
  const { command, args, cwd, env } = next("start", "--hostname", HOST, "--port", settings.PORT ?? "0");
  const { PATH, HOME, NODE_ENV } = env;
  const child = spawn(command, args, {
    ...(cwd && { cwd }),
    env: {
      ...(PATH && { PATH }),
      ...(HOME && { HOME }),
      NODE_ENV: NODE_ENV ?? "production",
      NEXT_TELEMETRY_DISABLED: "1",
      WALLET_SESSION_MODE: "development",
      ...settings,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  child.stdout?.on("data", onOutput);
  child.stderr?.on("data", onOutput);
  return child;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Resolves when the process is gone and all of its output has arrived. */
async function end(child: ChildProcess, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  if (hasEnded(child)) return;
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.kill(signal);
  await closed;
}

async function answersReady(address: string): Promise<boolean> {
  try {
    const response = await fetch(`${address}/api/readyz`);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", reject).listen(0, HOST, resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
