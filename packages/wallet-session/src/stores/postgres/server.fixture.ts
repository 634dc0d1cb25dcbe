import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { expect, vi } from "vitest";
import { freePort } from "../../../test/free-port.ts";

const [binaries] = globSync("/usr/lib/postgresql/*/bin").sort().reverse();

/** Whether this machine can start a server of its own. In CI it must. */
export const canStartServer = binaries !== undefined || process.env.CI !== undefined;

export interface OwnServer {
  readonly url: string;
  /** Stops all its processes in the middle of what they do (SIGSTOP). */
  freeze(): void;
  thaw(): void;
  /** The processes that serve the stores' connections. */
  connections(): Promise<number[]>;
  /** Resolves when these are gone: what they had been sent is done by then, or never will be. */
  isRidOf(connections: readonly number[]): Promise<void>;
  /** SIGKILL for all its processes, as when the power fails but for the disk's cache. */
  kill(): Promise<void>;
  /** Keeps a copy of its files as they are. */
  backUp(): Promise<void>;
  /** Sets its files back to the copy. */
  restore(): Promise<void>;
  /** Resolves when it takes connections. */
  start(): Promise<void>;
  /** Ends it and deletes its files. */
  remove(): Promise<void>;
}

/** A server with a directory and a port of its own, started. PostgreSQL refuses to run as root: then it runs as `postgres`. */
export async function ownServer(): Promise<OwnServer> {
  const directory = mkdtempSync(join(tmpdir(), "wallet-session-postgres-"));
  const data = join(directory, "data");
  const account = process.getuid?.() === 0 ? { uid: idOf("-u"), gid: idOf("-g") } : {};
  if (account.uid !== undefined) chownSync(directory, account.uid, account.gid);
  const options = { ...account, cwd: directory, stdio: "ignore" } as const;
  execFileSync(
    join(binaries ?? "", "initdb"),
    ["-D", data, "-A", "trust", "-U", "postgres", "--no-sync"],
    options,
  );
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  let server: ChildProcess | null = null;

  const signalAll = (signal: NodeJS.Signals): number[] => {
    const pids = processesOf(server);
    // The postmaster first, so that it starts no other.
    for (const pid of pids) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has just ended.
      }
    }
    return pids;
  };
  const ended = async () => {
    if (server !== null && server.exitCode === null && server.signalCode === null) await once(server, "exit");
    server = null;
  };
  const backup = join(directory, "backup");
  const copy = async (from: string, to: string) => {
    await own.kill();
    rmSync(to, { recursive: true, force: true });
    execFileSync("cp", ["-a", from, to], options);
    await own.start();
  };
  const own: OwnServer = {
    url,
    freeze: () => void signalAll("SIGSTOP"),
    thaw: () => void signalAll("SIGCONT"),
    connections: async () => {
      const { rows } = await queryAt(
        url,
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'wallet-session'",
      );
      return rows.map(({ pid }) => pid);
    },
    async isRidOf(connections) {
      await vi.waitFor(() => expect(connections.filter(isRunning)).toEqual([]), { timeout: 10_000 });
    },
    async kill() {
      const exit = ended();
      const pids = signalAll("SIGKILL");
      await exit;
      // A server does not start beside what is left of an earlier one on its files.
      await vi.waitFor(() => expect(pids.filter(isRunning)).toEqual([]), { timeout: 10_000, interval: 5 });
    },
    backUp: () => copy(data, backup),
    restore: () => copy(backup, data),
    async start() {
      const settings = ["-c", "listen_addresses=127.0.0.1", "-c", `unix_socket_directories=${directory}`];
      server = spawn(join(binaries ?? "", "postgres"), ["-D", data, "-p", `${port}`, ...settings], options);
      await vi.waitFor(() => queryAt(url, "SELECT 1"), { timeout: 30_000, interval: 20 });
    },
    async remove() {
      await own.kill();
      rmSync(directory, { recursive: true });
    },
  };
  await own.start();
  return own;
}

function processesOf(server: ChildProcess | null): number[] {
  if (server?.pid === undefined) return [];
  const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, "utf8");
  return [server.pid, ...children.trim().split(" ").filter(Boolean).map(Number)];
}

/** Not where it has ended and nobody has asked for its exit code yet. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

function idOf(which: "-u" | "-g"): number {
  return Number(execFileSync("id", [which, "postgres"], { encoding: "utf8" }));
}

async function queryAt(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    return await client.query(text);
  } finally {
    await client.end();
  }
}
