// `npm start` itself, as an operator runs and stops it.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { npm } from "../../scripts/setup/child.mjs";
import { root } from "../../scripts/setup/root.mjs";

const started: ChildProcess[] = [];

afterEach(() => {
  for (const child of started.splice(0)) if (child.exitCode === null) child.kill("SIGTERM");
});

function npmStart(settings: Record<string, string>) {
  const { command, args } = npm("start");
  const child = spawn(command, args, {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH ?? "",
      HOME: process.env.HOME ?? "",
      NODE_ENV: "test",
      DATABASE_URL: "memory:",
      AUTH_SECRET: randomBytes(48).toString("base64url"),
      STELLAR_SIGNING_SEED: createWalletKeypair().seed,
      ...settings,
    },
  });
  started.push(child);
  let output = "";
  const waiting = new Set<() => void>();
  const add = (chunk: Buffer) => {
    output += chunk;
    for (const look of waiting) look();
  };
  child.stdout.on("data", add);
  child.stderr.on("data", add);
  const closed = once(child, "close");

  /** Resolves when npm and all that it started have ended: then their output closes. */
  const ended = async () => {
    await closed;
    return { code: child.exitCode, output };
  };
  /** The address in the last line of a start that went well. */
  const address = () =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const [, found] = /Ready: open (\S+)/.exec(output) ?? [];
        if (found) resolve(found);
      };
      waiting.add(look);
      closed.then(() => reject(new Error(output)));
      look();
    });
  return { child, ended, address };
}

test("serves the app, says where, and is gone when npm is stopped", async () => {
  const { child, ended, address } = npmStart({ PORT: "0" });
  const url = await address();
  expect((await fetch(`${url}/api/readyz`)).status).toBe(200);
  child.kill("SIGTERM");
  await ended();
  await expect(fetch(url)).rejects.toThrow();
});

test("says so where the port is taken", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  const port = typeof address === "object" ? String(address?.port) : "";
  const { code, output } = await npmStart({ PORT: port }).ended();
  other.close();
  expect(output).toContain(`Port ${port} on 127.0.0.1 is taken. Set PORT to another one.`);
  expect(code).toBe(1);
});

test.each(["http", "-1", "65536", "3000.5", "0x50"])(
  "refuses PORT=%s, and says what it must be",
  async (port) => {
    const { code, output } = await npmStart({ PORT: port }).ended();
    expect(output).toContain(`PORT must be a whole number from 0 to 65535, not "${port}".`);
    expect(code).toBe(1);
  },
);

test("a production server needs its secrets said, however well it was built", async () => {
  const { ended, child } = npmStart({
    PORT: "0",
    NODE_ENV: "production",
    AUTH_SECRET: "",
    HORIZON_URL: "none",
  });
  const { code, output } = await ended();
  expect(output).toContain("AUTH_SECRET");
  expect(output).not.toContain("Ready:");
  expect(code).not.toBe(0);
  expect(child.exitCode).not.toBeNull();
});
