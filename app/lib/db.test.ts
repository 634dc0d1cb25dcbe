import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openStore } from "./db.ts";

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
