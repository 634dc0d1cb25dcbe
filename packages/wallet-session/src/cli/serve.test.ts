import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { freePort } from "../../test/free-port.ts";
import { createWalletKeypair } from "../testing/wallet-keypair.ts";
import { storeInFile, type } from "./cli.fixture.ts";

const SEED = createWalletKeypair().seed;

afterEach(() => {
  for (const signal of ["SIGTERM", "SIGINT"]) process.removeAllListeners(signal);
});

const statusOf = async (port: number, path: string) =>
  (await fetch(`http://127.0.0.1:${port}${path}`)).status;

test.each(["SIGTERM", "SIGINT"] as const)("serves until %s, and then ends with 0", async (signal) => {
  const port = await freePort();
  const env = { ...storeInFile().env, STELLAR_SIGNING_SEED: SEED, PORT: String(port), LOG_LEVEL: "silent" };
  const ended = type("serve", env);
  await vi.waitFor(async () => expect(await statusOf(port, "/api/readyz")).toBe(200), 10_000);
  process.emit(signal, signal);
  expect(await ended).toMatchObject({
    code: 0,
    out: [],
    notes: [`Serving http://localhost:${port} on 127.0.0.1, port ${port}. Ctrl-C stops it.`],
  });
  await expect(statusOf(port, "/api/readyz")).rejects.toThrow();
});

test("a store that does not answer is no reason to end: 503 until it does", async () => {
  const port = await freePort();
  const env = {
    DATABASE_URL: "postgres://someone:hunter2@127.0.0.1:1/none",
    AUTH_SECRET: "x".repeat(32),
    STELLAR_SIGNING_SEED: SEED,
    PORT: String(port),
    LOG_LEVEL: "silent",
  };
  const ended = type("serve", env);
  await vi.waitFor(async () => expect(await statusOf(port, "/api/healthz")).toBe(200), 10_000);
  expect(await statusOf(port, "/api/readyz")).toBe(503);
  process.emit("SIGTERM", "SIGTERM");
  const { code, notes } = await ended;
  expect(code).toBe(0);
  expect(notes[0]).toMatch(/^The store fails, .* 503: Error \[ECONNREFUSED\]/);
  expect(notes.join()).not.toContain("hunter2");
});

test("a port that is taken, and settings that cannot be used, are said in plain words", async () => {
  const port = await freePort();
  const holder = createServer().listen(port, "127.0.0.1");
  await once(holder, "listening");
  onTestFinished(() => void holder.close());
  const env = { ...storeInFile().env, STELLAR_SIGNING_SEED: SEED, PORT: String(port), LOG_LEVEL: "silent" };
  expect(await type("serve", env)).toMatchObject({
    code: 1,
    notes: [`Port ${port} on 127.0.0.1 is taken. Set PORT to another one.`],
  });
  const elsewhere = await type("serve", { ...env, HOST: "203.0.113.1" });
  expect([elsewhere.code, elsewhere.notes[0]]).toEqual([
    1,
    `Cannot listen on HOST 203.0.113.1, PORT ${port}: EADDRNOTAVAIL.`,
  ]);
  const bad = await type("serve", { ...env, PORT: "none", AUTH_SECRET: "hunter2" });
  expect(bad.code).toBe(1);
  expect(bad.notes).toEqual([
    "The settings cannot be used:",
    "  PORT must be a whole number from 1 to 65535",
    expect.stringMatching(/^ {2}AUTH_SECRET is not usable/),
  ]);
});
