import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { FRAMEWORKS } from "../../packages/wallet-session/src/cli/init.ts";
import { type AppServer, type Program, startServer } from "./app-server.ts";
import { type Consumer, createConsumer } from "./consumer.ts";
import { ACCESS_COOKIE, RETRY_COOKIE } from "./cookies.ts";
import { storedSession } from "./database.ts";
import { problemOf } from "./http-client.ts";
import { loadPage, NAVIGATION } from "./page-load.ts";
import { createClient, newRetryKey, type SessionClient } from "./session-client.ts";
import { createWitness, leaks, type Witness } from "./witness.ts";

/** It is built as its readers build it. */
const BUILD_WITHIN_MS = 600_000;
/** What mounting may take: the files of theirs that know of the package, each line that is not empty. Next has routes by file. */
const MOUNT = { files: { express: 2, fastify: 2, hono: 2, next: 4 }, lines: 20 };

export interface Example {
  readonly name: keyof (typeof MOUNT)["files"];
  /** The page that signs people in. */
  readonly signIn: string;
  /** Page content in a file of its own, which knows of the package because it uses what is mounted. */
  readonly pages: readonly string[];
  /** Makes what was written to this directory ready to start. */
  prepare(directory: string, consumer: Consumer): Program;
}

/** A project with the packed package, and with what apps of these frameworks need. */
export const consumerOf = (...names: Example["name"][]): Promise<Consumer> =>
  createConsumer([
    ...names.flatMap((name) => FRAMEWORKS[name] ?? []),
    "typescript",
    "@types/node",
    "@types/react",
    "@types/react-dom",
  ]);

/** Such a project, and a directory in it with what `init` writes. */
export async function initExample(name: Example["name"], given?: Consumer) {
  const consumer = given ?? (await consumerOf(name));
  const directory = join(consumer.project, name);
  mkdirSync(directory);
  const bin = join(consumer.installed, consumer.manifest.bin["wallet-session"]);
  execFileSync(process.execPath, [bin, "init", "--framework", name], { cwd: directory, stdio: "pipe" });
  return { consumer, directory };
}

/** How a template that is one file is started. */
export const serverFile = (cwd: string): Program => ({
  command: process.execPath,
  args: ["server.ts"],
  cwd,
  settings: { HORIZON_URL: "none" },
  readyPath: "/",
});

/** Not to be read before the tests run. */
interface ExampleUnderTest {
  readonly server: AppServer;
  readonly client: SessionClient;
}

/**
 * What each of them promises. What only one of them does is tested in its own file. `shared`: the project of several, which
 * its maker removes.
 */
export function testExample(
  { name, signIn, pages, prepare }: Example,
  shared?: () => Consumer,
): ExampleUnderTest {
  let consumer: Consumer;
  let server: AppServer;
  let witness: Witness;
  let client: SessionClient;
  let directory: string;

  beforeAll(async () => {
    ({ consumer, directory } = await initExample(name, shared?.()));
    server = await startServer(prepare(directory, consumer));
    witness = createWitness();
    client = createClient(server, witness);
  }, BUILD_WITHIN_MS);
  afterAll(async () => {
    await server.kill("SIGKILL");
    const found = leaks(server, witness);
    await server.stop();
    if (shared === undefined) consumer.remove();
    expect(found).toEqual([]);
  });

  test(`mounts it in at most ${MOUNT.files[name]} files and ${MOUNT.lines} lines`, () => {
    const mounting = globSync("**/*.{ts,tsx,mjs}", { cwd: directory })
      .filter((path) => !pages.includes(path))
      .map((path) => readFileSync(join(directory, path), "utf8"))
      .filter((source) => /wallet-session|sessions"/.test(source));
    const lines = mounting.flatMap((source) => source.split("\n").filter((line) => line.trim() !== ""));
    expect(mounting.length).toBeLessThanOrEqual(MOUNT.files[name]);
    expect(lines.length).toBeLessThanOrEqual(MOUNT.lines);
  });

  test("a wallet signs in, and its page opens", async () => {
    const jar = await client.signedInBrowser();
    const opened = await loadPage(jar.send, "/account");
    expect([opened.addresses, opened.last.status]).toEqual([["/account"], 200]);
    expect(opened.last.text).toContain(jar.key.account);
  });

  test("a cold load goes through the bounce and comes back", async () => {
    const jar = await client.signedInBrowser();
    jar.cookies.delete(ACCESS_COOKIE);
    const opened = await loadPage(jar.send, "/account");
    expect(opened.paths).toEqual(["/account", "/api/auth/refresh", "/account"]);
    expect(opened.last.text).toContain(jar.key.account);
    expect(storedSession(server, jar.sessionId)).toEqual({ generation: 2, revokedReason: null });
  });

  test("tokens by body refresh, retry, and end at their second use", async () => {
    const { refreshToken, sessionId } = await client.signIn();
    const key = newRetryKey();
    const next = await client.rotated(refreshToken, key);
    expect((await client.rotated(refreshToken, key)).refreshToken).toBe(next.refreshToken);
    expect((await client.list(next.accessToken)).json).toMatchObject({ sessions: [{ id: sessionId }] });
    expect(problemOf(await client.refresh(refreshToken))).toBe("401 refresh_token_reused");
    expect(problemOf(await client.session(next.accessToken))).toBe("401 session_revoked");
  });

  test("a session that is ended elsewhere is out at its next page, whatever its token says", async () => {
    const key = createWalletKeypair();
    const jar = await client.signedInBrowser(key);
    const { accessToken } = await client.signIn(key);
    const ended = await client.send("DELETE", `/api/auth/sessions/${jar.sessionId}`, {
      headers: { Authorization: `Bearer ${accessToken}` },
    });
    expect(ended.status).toBe(204);
    const opened = await loadPage(jar.send, "/account");
    // A page of Next cannot set the retry key, so the bounce takes a hop more.
    expect([...new Set(opened.paths)]).toEqual(["/account", "/api/auth/refresh", signIn]);
    expect(opened.last.status).toBe(200);
    expect(opened.last.text).not.toContain(key.account);
  });

  test("a signed-out visitor gets to the sign-in page, which knows the way back", async () => {
    const opened = await loadPage(client.browser().send, "/account");
    expect(opened.addresses.at(-1)).toBe(`${signIn}?next=%2Faccount`);
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ["from the proxy itself", { ...NAVIGATION, "X-Middleware-Subrequest": "proxy:proxy:proxy:proxy:proxy" }],
    ["to be signed by somebody", { ...NAVIGATION, Cookie: `${ACCESS_COOKIE}=${forgedToken()}` }],
  ])("a request that claims to come %s does not see the page", async (_, headers) => {
    const opened = await loadPage(client.browser().send, "/account", headers);
    expect(opened.paths.at(-1)).toBe(signIn);
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ["a prefetch by the browser", { ...NAVIGATION, "Sec-Purpose": "prefetch" }],
    [
      "a router's prefetch",
      { Accept: "*/*", "Sec-Fetch-Dest": "empty", RSC: "1", "Next-Router-Prefetch": "1" },
    ],
    ["a router's fetch", { Accept: "*/*", "Sec-Fetch-Dest": "empty", RSC: "1" }],
  ])("%s renews nothing, wherever it is led", async (_, headers) => {
    const jar = await client.signedInBrowser();
    jar.cookies.delete(ACCESS_COOKIE);
    const opened = await loadPage(jar.send, "/account", headers);
    expect(opened.setCookies).toEqual([]);
    expect(storedSession(server, jar.sessionId).generation).toBe(1);
    expect(jar.cookies.has(RETRY_COOKIE)).toBe(false);
  });

  return {
    get server() {
      return server;
    },
    get client() {
      return client;
    },
  };
}

/** Lives for another hour, says its bearer; nobody has signed it. */
function forgedToken(): string {
  const claims = { exp: Math.floor(Date.now() / 1_000) + 3_600, sub: "GAAA" };
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${"A".repeat(86)}`;
}
