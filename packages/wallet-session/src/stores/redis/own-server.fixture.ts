import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { createClient } from "@redis/client";
import { freePort } from "../../../test/free-port.ts";

/** Another server than the one on the path: `REDIS_SERVER=…/valkey-server`. */
const EXECUTABLE = process.env.REDIS_SERVER || "redis-server";

export interface OwnServer {
  readonly url: string;
  readonly port: number;
  readonly directory: string;
  /** One command on a connection of its own. */
  command(...command: (string | Buffer)[]): Promise<unknown>;
  signal(signal: NodeJS.Signals): void;
  /** As a crash does. */
  kill(): Promise<void>;
  /** On the same port and files; resolves when it answers. */
  start(): Promise<void>;
  /** Kills it and deletes its files. */
  end(): Promise<void>;
}

/** A server of the test's own, with the options that differ from "keeps nothing". */
export async function startOwnServer(...options: string[]): Promise<OwnServer> {
  const directory = mkdtempSync(join(tmpdir(), "wallet-session-redis-"));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let server: ChildProcess;

  async function command(...args: (string | Buffer)[]): Promise<unknown> {
    const client = createClient({ url, socket: { reconnectStrategy: false } });
    client.on("error", () => {});
    await client.connect();
    try {
      return await client.sendCommand(args);
    } finally {
      client.destroy();
    }
  }

  async function start(): Promise<void> {
    const fixed = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", directory, "--save", ""];
    server = spawn(EXECUTABLE, [...fixed, ...options], { stdio: "ignore" });
    const failed = Promise.race([
      once(server, "error").then(([error]) => Promise.reject(error)),
      once(server, "exit").then(([code]) => Promise.reject(new Error(`${EXECUTABLE} ended with ${code}`))),
    ]);
    failed.catch(() => {});
    for (;;) {
      const answer = await Promise.race([command("PING").catch(() => null), failed]);
      if (answer === "PONG") return;
      await setTimeout(20);
    }
  }

  async function kill(): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return;
    server.kill("SIGKILL");
    await once(server, "exit");
  }

  await start().catch((error) => {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  });
  return {
    url,
    port,
    directory,
    command,
    signal: (signal) => void server.kill(signal),
    kill,
    start,
    async end() {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
