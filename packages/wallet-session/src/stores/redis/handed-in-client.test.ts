import { createClient } from "@redis/client";
import { describe, expect, onTestFinished, test } from "vitest";
import type { SessionStore } from "../../store.ts";
import { assertRow, create, START } from "../../testing/store-conformance-fixtures.ts";
import { storeConformance } from "../../testing.ts";
import { openRedisStore } from "../redis.ts";
import { startOwnServer } from "./own-server.fixture.ts";
import { temporaryKeys } from "./server.fixture.ts";

const keys = temporaryKeys();

/** As a program has it that names its own keys, and waits for a lost server as long as it takes. */
function newClient(url = keys.url) {
  return createClient({ url, keyPrefix: "app:", socket: { reconnectStrategy: 50 } });
}

describe("Redis store on a client of the caller's", () => {
  const client = newClient();
  const prefixes = new WeakMap<SessionStore, string>();
  const openWith = async (prefix: string) => {
    const store = openRedisStore({ client, prefix, onWarning: () => {} });
    prefixes.set(store, prefix);
    return store;
  };
  storeConformance({
    test,
    open: () => openWith(keys.newPrefix()),
    openAnother: (first) => openWith(prefixes.get(first) ?? ""),
  });
});

test("close leaves the client as it was, connected or not", async () => {
  const [idle, connected] = [newClient(), newClient()];
  await connected.connect();
  onTestFinished(() => connected.destroy());
  for (const client of [idle, connected]) {
    const wasOpen = client.isOpen;
    const store = openRedisStore({ client, prefix: keys.newPrefix(), onWarning: () => {} });
    await create(store, "a");
    await store.close();
    expect(client.isOpen).toBe(wasOpen);
  }
  expect(await connected.ping()).toBe("PONG");
});

test("the store on a client and the store on its URL are the same store", async () => {
  const prefix = keys.newPrefix();
  const byClient = openRedisStore({ client: newClient(), prefix, onWarning: () => {} });
  const byUrl = openRedisStore({ url: keys.url, prefix, onWarning: () => {} });
  onTestFinished(async () => {
    await byClient.close();
    await byUrl.close();
  });
  const session = await create(byClient, "a");
  await assertRow(byUrl, session);
  const { promise: woken, resolve } = Promise.withResolvers<void>();
  let wakes = 0;
  byClient.watchRevocations(() => {
    wakes += 1;
    if (wakes === 2) resolve();
    else void byUrl.revokeSession(session.id, { reason: "admin", revokedAt: START });
  });
  await woken;
});

test("the client's credentials are the store's", async () => {
  const server = await startOwnServer();
  onTestFinished(() => server.end());
  await server.command("CONFIG", "SET", "requirepass", "hunter2-and-more");
  const socket = { host: "127.0.0.1", port: server.port };
  const open = (password: string) => {
    const store = openRedisStore({ client: createClient({ socket, password }), onWarning: () => {} });
    onTestFinished(() => store.close());
    return store;
  };
  await create(open("hunter2-and-more"), "a");
  await expect(open("wrong").ping()).rejects.toThrow();
});
