import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { freePort } from "../../test/free-port.ts";
import { createWalletKeypair } from "../testing/wallet-keypair.ts";
import { SECRET, storeInFile, type } from "./cli.fixture.ts";

const SEED = createWalletKeypair().seed;

/** The settings of a store that only this module opens. */
function customStore(source: string): Record<string, string> {
  const directory = mkdtempSync(join(tmpdir(), "wallet-session-custom-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const module = join(directory, "store.mts");
  writeFileSync(module, source);
  const { path } = storeInFile();
  return { STORE_MODULE: module, DATABASE_URL: `mine://somewhere?${path}`, AUTH_SECRET: SECRET };
}

const SQLITE = join(import.meta.dirname, "../stores/sqlite.ts");
const BY_URL = `import { openSqliteStore } from ${JSON.stringify(SQLITE)};
export const openStore = (url: string) => openSqliteStore({ path: new URL(url).search.slice(1) });`;

test("a server and the commands work on a store of one's own", async () => {
  const port = await freePort();
  const settings = customStore(BY_URL);
  const env = { ...settings, STELLAR_SIGNING_SEED: SEED, PORT: String(port), LOG_LEVEL: "silent" };
  const ended = type("serve", env);
  const origin = `http://127.0.0.1:${port}`;
  await vi.waitFor(async () => expect((await fetch(`${origin}/api/readyz`)).status).toBe(200), 10_000);
  const { account, sign } = createWalletKeypair();
  const challenge = await (await fetch(`${origin}/api/auth/wallet?account=${account}`)).json();
  const body = new URLSearchParams({ transaction: sign(challenge) });
  const { session_id } = await (await fetch(`${origin}/api/auth/wallet`, { method: "POST", body })).json();
  const { out } = await type(`sessions list --actor ${account} --json`, settings);
  expect(JSON.parse(out.join())).toMatchObject({ sessions: [{ id: session_id, state: "live" }] });
  expect((await type("migrate", settings)).out).toEqual(["custom has no schema: nothing to do."]);
  process.emit("SIGTERM", "SIGTERM");
  expect((await ended).code).toBe(0);
});

test.each([
  ["export const open = () => {};", "has no export openStore(url)"],
  ["import 'not-there';", "cannot be loaded: Error [ERR_MODULE_NOT_FOUND]"],
])("a module like %j is said to be of no use", async (source, why) => {
  const { code, notes } = await type("sessions list --actor G", customStore(source));
  expect([code, notes.join()]).toEqual([1, expect.stringContaining(why)]);
});
