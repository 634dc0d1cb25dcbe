import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openStore } from "./db.ts";

test("postgres: is opened by its first step, which says what is wrong and nothing of the password", async () => {
  const store = openStore({ kind: "postgres", url: "postgres://someone:hunter2@127.0.0.1:1/x" });
  await expect(store.ping()).rejects.toThrow(/^(?!.*hunter2).*ECONNREFUSED/);
  await store.close();
});

test("redis: the same", async () => {
  const store = openStore({ kind: "redis", url: "redis://someone:hunter2@127.0.0.1:1" });
  await expect(store.ping()).rejects.toThrow(/^(?!.*hunter2).*no connection to Redis/);
  await store.close();
});

test("memory: forgets, sqlite: keeps", async () => {
  const directory = mkdtempSync(join(tmpdir(), "streampay-db-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const url of [
    { kind: "memory" },
    { kind: "sqlite", path: join(directory, "a", "sessions.db") },
  ] as const) {
    const key = {
      kid: "k",
      publicKey: new Uint8Array(32),
      sealed: new Uint8Array(64),
      createdAt: 1,
      signsFrom: 1,
    };
    const first = openStore(url);
    expect(await first.addSigningKey(key, null)).toBe(true);
    await first.close();
    const second = openStore(url);
    expect(await second.signingKeys()).toHaveLength(url.kind === "memory" ? 0 : 1);
    await second.close();
  }
});
