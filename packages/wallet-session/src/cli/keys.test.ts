import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock, systemRandom } from "../clock.ts";
import { madeSecrets, makeAuthSecret } from "../config/made-secrets.ts";
import type { SessionStore } from "../store.ts";
import { createKeyring } from "../tokens/secrets.ts";
import { createSigningKeys } from "../tokens/signing-keys.ts";
import { SECRET, storeInFile, type } from "./cli.fixture.ts";

const NEW_SECRET = "the second secret of the tests of commands that is long as well";

/** What a server with these secrets does when it starts. */
async function serverStarts(store: SessionStore, ...secrets: string[]): Promise<void> {
  const parts = { store, clock: systemClock, random: systemRandom, onEvent: () => {} };
  await createSigningKeys({ ...parts, keyring: createKeyring(secrets), accessTtlMs: 900_000 }).load();
}

test("a store without keys has none, and looking makes none", async () => {
  const { env, store } = storeInFile();
  expect(await type("keys list", env)).toMatchObject({
    code: 0,
    out: [],
    notes: ["There is no signing key yet: the first server that starts makes one."],
  });
  expect((await type("keys list --json", env)).out).toEqual(['{"keys":[]}']);
  expect(await store.signingKeys()).toEqual([]);
});

test("the list says of each key how it stands and under which secret it rests", async () => {
  const { env, store } = storeInFile();
  await serverStarts(store, SECRET);
  await serverStarts(store, NEW_SECRET, SECRET);
  const [first, second] = await store.signingKeys();
  const listed = async (secrets: string) => (await type("keys list", { ...env, AUTH_SECRET: secrets })).out;
  const after = await listed(`${NEW_SECRET},${SECRET}`);
  expect(after[0]).toMatch(/^KEY ID +STATE +CREATED +SIGNS FROM +SEALED UNDER$/);
  expect(after[1]).toMatch(new RegExp(`^${first?.kid}  signing  .* \\(secret 2 of AUTH_SECRET\\)$`));
  expect(after[2]).toMatch(new RegExp(`^${second?.kid}  coming   .* \\(secret 1 of AUTH_SECRET\\)$`));
  const unread = await type("keys list", { ...env, AUTH_SECRET: NEW_SECRET });
  expect(unread.out[1]).toMatch(/ unreadable .* \(not in AUTH_SECRET\)$/);
  expect(unread.notes[0]).toMatch(/^An unreadable key/);
  const json = JSON.parse((await type("keys list --json", env)).out.join(""));
  expect(json.keys).toEqual([
    {
      kid: first?.kid,
      state: "signing",
      created_at: expect.stringMatching(/Z$/),
      signs_from: expect.stringMatching(/Z$/),
      sealed_under: expect.stringMatching(/^[0-9a-f]{8}$/),
      secret: 1,
    },
    expect.objectContaining({ kid: second?.kid, state: "unreadable", secret: null }),
  ]);
});

test("rotate publishes a key that signs ten minutes later", async () => {
  const { env, store } = storeInFile();
  await serverStarts(store, SECRET);
  const { code, out } = await type("keys rotate", env);
  const [, added] = await store.signingKeys();
  expect([code, out]).toEqual([
    0,
    [expect.stringMatching(`^Key ${added?.kid} is published\\. .* in 10 min\\.$`)],
  ]);
  const json = JSON.parse((await type("keys rotate --json", env)).out.join(""));
  const [, , third] = await store.signingKeys();
  expect(json).toEqual({ kid: third?.kid, signs_from: new Date(third?.signsFrom ?? 0).toISOString() });
});

test("a secret that was made for an embedded store opens no other, and all bad settings are told at once", async () => {
  const directory = mkdtempSync(join(tmpdir(), "wallet-session-cli-"));
  const home = process.cwd();
  process.chdir(directory);
  onTestFinished(() => {
    process.chdir(home);
    rmSync(directory, { recursive: true });
  });
  madeSecrets("data").read("auth-secret", makeAuthSecret);
  const missing = /AUTH_SECRET is needed/;
  const embedded = await type("keys rotate", { DATABASE_URL: "sqlite:none.db" });
  expect(embedded.notes.join("\n")).toMatch(/There is no database at none.db/);
  const shared = await type("keys rotate", { DATABASE_URL: "postgres://someone@127.0.0.1:1/x" });
  expect(shared).toMatchObject({ code: 1, notes: [expect.any(String), expect.stringMatching(missing)] });
  const bad = await type("keys rotate", { DATABASE_URL: "nonsense" });
  expect(bad.notes).toEqual([
    expect.any(String),
    expect.stringMatching(/^ {2}DATABASE_URL must be/),
    expect.stringMatching(missing),
  ]);
});

test("what is no seal is listed as that; no secret is said, and one is needed", async () => {
  const { env, store } = storeInFile();
  const key = { kid: "k", publicKey: new Uint8Array(32), createdAt: 0, signsFrom: 0 };
  await store.addSigningKey({ ...key, sealed: new Uint8Array(3) }, null);
  expect((await type("keys list", env)).out[1]).toMatch(/^k +unreadable .* nothing known$/);
  expect((await type("keys list --json", env)).out[0]).toContain('"sealed_under":null,"secret":null');
  const short = await type("keys list", { ...env, AUTH_SECRET: "hunter2" });
  expect(short.code).toBe(1);
  expect(short.notes.join()).not.toContain("hunter2");
});
