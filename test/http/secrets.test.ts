// What goes over the wire stays there: no token, retry key or secret in the log, in a refusal or in the database. The same
// search runs at the end of every file that starts a server; here it is shown to see.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StrKey } from "@stellar/stellar-sdk";
import { expect, onTestFinished, test, vi } from "vitest";
import type { AppServer } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { ACCESS_COOKIE, RETRY_COOKIE } from "../support/cookies.ts";
import { age } from "../support/database.ts";
import { bearer, newRetryKey, type Tokens } from "../support/session-client.ts";
import { leaks, type Witness } from "../support/witness.ts";

const METRICS_TOKEN = "the-token-of-the-metrics-here";
const CLIENT_SECRET = "the-secret-of-the-client-here";
const app = appUnderTest(() => ({ METRICS_TOKEN, INTROSPECTION_CLIENTS: `boats:${CLIENT_SECRET}` }));

/** As one looks. */
const REGISTERED = `wsd1_${"Ab3_".repeat(36)}`;

const FILES = ["", "-wal", "-shm"];

/** A bit of everything that writes, answers with tokens, or refuses them. Returns a session that lives. */
async function liveThrough(): Promise<{ tokens: Tokens; retryKey: string }> {
  const { client, server } = app;
  const retryKey = newRetryKey();

  const stolen = await client.signIn();
  await client.rotated(stolen.refreshToken, newRetryKey());
  await client.refresh(stolen.refreshToken);
  const expired = await client.signIn();
  age(server, expired.sessionId, "idle_expires_at");
  await client.refresh(expired.refreshToken);
  const ended = await client.signIn();
  await client.logout(ended.refreshToken);
  await client.refresh(ended.refreshToken, newRetryKey());
  await client.list(ended.accessToken);

  const jar = await client.signedInBrowser();
  jar.cookies.delete(ACCESS_COOKIE);
  jar.cookies.set(RETRY_COOKIE, newRetryKey());
  await jar.send("POST", "/api/auth/refresh");
  await jar.send("POST", "/api/auth/logout");

  const first = await client.signIn();
  const tokens = await client.rotated(first.refreshToken, retryKey);
  await client.rotated(first.refreshToken, retryKey);
  // Refused at every depth: by the body's reader, by the grammar, by the MAC, by the row.
  await client.send("POST", "/api/auth/refresh", { body: `{"refresh_token":"${tokens.refreshToken}` });
  await client.send("POST", `/api/auth/refresh?refresh_token=${tokens.refreshToken}`);
  await client.send("GET", `/api/auth/nothing/${tokens.refreshToken}`);
  await client.refresh(`${tokens.refreshToken}=`);
  await client.refresh(tokens.accessToken);
  await client.send("GET", "/api/auth/session", { headers: bearer(`${tokens.accessToken}=`) });
  await client.send("GET", "/api/auth/session", { headers: bearer(tokens.refreshToken) });
  await client.send("DELETE", `/api/auth/sessions/${tokens.refreshToken}`, {
    headers: bearer(tokens.accessToken),
  });
  return { tokens, retryKey };
}

const secretOf = (refreshToken: string) =>
  Buffer.from(refreshToken.slice("wsr1_".length), "base64url").subarray(24, 56);

/** A copy of the database, and of what was said, to plant things in. */
function scratch(): { server: AppServer; witness: Witness; plant(place: string, what: Buffer): void } {
  const directory = mkdtempSync(join(tmpdir(), "leaks-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const databasePath = join(directory, "sessions.db");
  for (const suffix of FILES) {
    const from = app.server.databasePath + suffix;
    if (existsSync(from)) copyFileSync(from, databasePath + suffix);
  }
  let output = app.server.output();
  const errors = [...app.witness.errors];
  return {
    server: { ...app.server, databasePath, output: () => output },
    witness: { ...app.witness, errors },
    plant(place, what) {
      if (place === "output") output += what.toString("latin1");
      else if (place === "errors") errors.push(what.toString("latin1"));
      else writeFileSync(databasePath, what, { flag: "a" });
    },
  };
}

test("nothing comes to light while the server runs, and the search has seen what it should not find", async () => {
  const { server, witness } = app;
  const { tokens, retryKey } = await liveThrough();
  expect(leaks(server, witness)).toEqual([]);
  expect([...witness.secrets]).toEqual(
    expect.arrayContaining([tokens.accessToken, tokens.refreshToken, retryKey]),
  );
  expect(witness.secrets.size).toBeGreaterThan(20);
  expect(witness.errors.length).toBeGreaterThan(10);
  // It is the right database, and it is read as it lies: the hash of the secret is in it.
  const hash = createHash("sha256").update(secretOf(tokens.refreshToken)).digest();
  expect(FILES.some((suffix) => readFile(server.databasePath + suffix).includes(hash))).toBe(true);
  await vi.waitFor(() => expect(server.output()).toContain(tokens.sessionId), 10_000);
});

test("what is planted is found, in each place and each form", async () => {
  const { settings } = app.server;
  const { tokens, retryKey } = await liveThrough();
  const secret = secretOf(tokens.refreshToken);
  const seed = settings.STELLAR_SIGNING_SEED ?? "";
  app.witness.see({}, { status: 200, setCookies: [`refresh=${REGISTERED}; HttpOnly`], text: "" });
  const planted: [name: string, text: Buffer][] = [
    ["an access token", Buffer.from(tokens.accessToken)],
    ["a refresh token", Buffer.from(`{"t":"${tokens.refreshToken}"}`)],
    ["its secret in hexadecimal", Buffer.from(secret.toString("hex"))],
    ["its secret in upper-case hexadecimal", Buffer.from(secret.toString("hex").toUpperCase())],
    ["its secret in base64", Buffer.from(secret.toString("base64"))],
    ["its secret in base64url", Buffer.from(secret.toString("base64url"))],
    ["a retry key", Buffer.from(retryKey)],
    ["AUTH_SECRET", Buffer.from(settings.AUTH_SECRET ?? "")],
    ["the seed", Buffer.from(seed)],
    ["the token of the metrics", Buffer.from(METRICS_TOKEN)],
    ["a client's secret", Buffer.from(CLIENT_SECRET)],
    ["a token of a browser with a device key", Buffer.from(REGISTERED)],
    [
      "the seed in hexadecimal",
      Buffer.from(Buffer.from(StrKey.decodeEd25519SecretSeed(seed)).toString("hex")),
    ],
  ];
  for (const [name, text] of planted) {
    for (const place of ["output", "errors", "database"]) {
      const { server, witness, plant } = scratch();
      plant(place, text);
      const places = new Set(leaks(server, witness).map((found) => found.split(" ").at(-1)));
      expect([name, [...places]]).toEqual([name, [place]]);
    }
  }
  const { server, witness, plant } = scratch();
  plant("database", secret);
  expect(leaks(server, witness)).toEqual([expect.stringMatching(/raw in database$/)]);
});

function readFile(path: string): Buffer {
  return existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
}
