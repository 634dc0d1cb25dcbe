import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { createMemoryStore } from "../stores/memory.ts";
import { createWalletKeypair } from "../testing/wallet-keypair.ts";
import { sharedSessions } from "./shared-sessions.ts";

const ENV = {
  DATABASE_URL: "memory:",
  AUTH_SECRET: "a secret of the tests here that is long enough",
  STELLAR_SIGNING_SEED: createWalletKeypair(new Uint8Array(32).fill(7)).seed,
  LOG_LEVEL: "silent",
};
const options = () => ({ env: { ...ENV }, openStore: () => createMemoryStore() });

afterEach(() => sharedSessions(options()).close());

test("every copy of the module gets the same sessions, though its functions are its own", async () => {
  const first = sharedSessions(options());
  vi.resetModules();
  const copy = await import("./shared-sessions.ts");
  expect(copy.sharedSessions).not.toBe(sharedSessions);
  expect(copy.sharedSessions(options())).toBe(first);
});

test("the first call's functions count", () => {
  const opened: string[] = [];
  const opening = (name: string) => ({
    env: ENV,
    openStore: () => {
      opened.push(name);
      return createMemoryStore();
    },
  });
  sharedSessions(opening("first"));
  expect(sharedSessions(opening("second")).engine).toBe(sharedSessions(options()).engine);
  expect(opened).toEqual(["first"]);
});

test("other options than the first call's are an error", () => {
  sharedSessions(options());
  const { env, openStore } = options();
  for (const others of [
    {},
    { env },
    { env, openStore, basePath: "/auth" },
    { env, openStore, ready: async () => {} },
    { env: {}, openStore },
  ]) {
    expect(() => sharedSessions(others)).toThrow(/other options/);
  }
});

test("after a close the next call makes new ones, and closing the old ones again leaves these", async () => {
  const first = sharedSessions(options());
  await first.close();
  const second = sharedSessions(options());
  expect(second).not.toBe(first);
  await first.close();
  expect(sharedSessions(options())).toBe(second);
});

test("from then on, servers of this process get heads that are cut", async () => {
  sharedSessions(options());
  const server = createServer((_, response) => response.end()).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const asked = once(server, "request");
  get({
    host: "127.0.0.1",
    port,
    path: `/?${"a&".repeat(500)}`,
    headers: { "User-Agent": "a ".repeat(2_500) },
  });
  const [{ url, headers }] = (await asked) as [IncomingMessage];
  expect([url?.length, headers["user-agent"]?.length]).toEqual([201, 512]);
});
