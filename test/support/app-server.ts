import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createWalletKeypair } from "../../packages/wallet-session/src/testing/wallet-keypair.ts";
import { freePort } from "../../packages/wallet-session/test/free-port.ts";
import { next } from "../../scripts/setup/next.ts";
import { root } from "../../scripts/setup/root.mjs";
import { COOKIE_NAME } from "./cookies.ts";

const HOST = "127.0.0.1";
const READY_WITHIN_MS = 60_000;
const POLL_MS = 25;

export type Settings = Readonly<Record<string, string>>;

type StopSignal = "SIGKILL" | "SIGTERM" | "SIGINT";

/** What a process has ended with. */
interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What is started: the app, or somebody else's that mounts the engine. It reads PORT and listens on the loopback. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Production's rules hold, unless these say otherwise. */
  readonly settings: Settings;
  /** Answers 200 as soon as it serves. */
  readonly readyPath: string;
}

/** One server on its own port, with its own settings and data. */
export interface AppServer {
  /** Where it listens. */
  readonly address: string;
  /** Where its settings say that browsers find it: what cookies are accepted from. */
  readonly publicUrl: string;
  readonly databasePath: string;
  readonly settings: Settings;
  /** Of the process that runs now. */
  readonly pid: number | undefined;
  /** All that it has printed, over all restarts. */
  output(): string;
  /** How the process has ended that nobody here has ended; null while it runs. */
  endedUnasked(): Ending | null;
  /** Ends the process, waits until it is gone, and starts it again on the same port and data. */
  restart(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Ends the process without another start, and says how it ended; null where none was running. */
  kill(signal: StopSignal): Promise<Ending | null>;
  /** Starts it again, from now on with `changed` settings. */
  start(changed?: Settings): Promise<void>;
  /** Ends the process and removes its data. */
  stop(): Promise<void>;
}

/** Output for an error's message. The marks keep stack traces in it from being read as the error's own, which takes minutes. */
export function quoted(output: string): string {
  return output.replace(/^/gm, "| ");
}

/**
 * Starts the built app as `npm start` does, on a free port of the loopback, and resolves when it is ready. Rate limits are
 * off and everything is logged, unless the settings say otherwise. `data`: another server, whose database it shares.
 */
export function startApp(given: Settings = {}, data?: AppServer): Promise<AppServer> {
  return startServer(builtApp(), given, data);
}

/** The same for `npx wallet-session serve`. */
export function startServe(given: Settings = {}, data?: AppServer): Promise<AppServer> {
  return startServer(serve, given, data);
}

/** The same for another program. */
export async function startServer(
  program: Program,
  given: Settings = {},
  data?: AppServer,
): Promise<AppServer> {
  const directory = mkdtempSync(join(tmpdir(), "app-server-"));
  const port = await freePort();
  const databasePath = data?.databasePath ?? join(directory, "sessions.db");
  let settings: Settings = {
    PORT: String(port),
    PUBLIC_URL: `http://localhost:${port}`,
    COOKIE_NAME,
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

  async function start(changed: Settings = {}): Promise<void> {
    settings = { ...settings, ...changed };
    const started = spawnProgram(program, settings, (chunk) => chunks.push(chunk));
    child = started;
    for (const deadline = Date.now() + READY_WITHIN_MS; Date.now() < deadline; await delay(POLL_MS)) {
      if (hasEnded(started)) break;
      if (await answersReady(address + program.readyPath)) return;
    }
    await end(started, "SIGKILL");
    throw new Error(`The server did not become ready:\n${quoted(output())}`);
  }

  async function kill(signal: StopSignal): Promise<Ending | null> {
    const ending = child === null ? null : await end(child, signal);
    child = null;
    return ending;
  }

  await start();
  return {
    address,
    publicUrl: settings.PUBLIC_URL ?? `http://localhost:${port}`,
    databasePath,
    get settings() {
      return settings;
    },
    get pid() {
      return child?.pid;
    },
    output,
    endedUnasked: () => (child !== null && hasEnded(child) ? endingOf(child) : null),
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
  const child = spawnProgram(builtApp(), { PORT: String(await freePort()), ...settings }, (chunk) =>
    chunks.push(chunk),
  );
  const timer = setTimeout(() => child.kill("SIGKILL"), READY_WITHIN_MS);
  await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  return { code: child.exitCode, output: Buffer.concat(chunks).toString("utf8") };
}

const running = new Set<ChildProcess>();
const endAll = () => {
  for (const child of running) child.kill("SIGKILL");
};
process.once("exit", endAll);
// Which is how the process of several test files ends: without this, the server that they share outlives it.
process.once("SIGTERM", () => {
  endAll();
  process.kill(process.pid, "SIGTERM");
});

/** The command that `npm start` ends in. */
export function builtApp(): Program {
  const { command, args, cwd = process.cwd() } = next("start", "--hostname", HOST);
  return {
    command,
    args,
    cwd,
    settings: { WALLET_SESSION_MODE: "development" },
    readyPath: "/api/readyz",
  };
}

const serve: Program = {
  command: process.execPath,
  args: [join(root, "packages/wallet-session/bin/wallet-session.js"), "serve"],
  cwd: tmpdir(),
  settings: { HORIZON_URL: "none" },
  readyPath: "/api/readyz",
};

/** Nothing of this process's own settings reaches it. */
function spawnProgram(program: Program, settings: Settings, onOutput: (chunk: Buffer) => void): ChildProcess {
  const { PATH, HOME } = process.env;
  const child = spawn(program.command, program.args, {
    cwd: program.cwd,
    env: {
      ...(PATH && { PATH }),
      ...(HOME && { HOME }),
      NODE_ENV: "production",
      NEXT_TELEMETRY_DISABLED: "1",
      ...program.settings,
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
async function end(child: ChildProcess, signal: StopSignal): Promise<Ending> {
  if (!hasEnded(child)) {
    const closed = new Promise((resolve) => child.once("close", resolve));
    child.kill(signal);
    await closed;
  }
  return endingOf(child);
}

function endingOf({ exitCode, signalCode }: ChildProcess): Ending {
  return { code: exitCode, signal: signalCode };
}

async function answersReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
