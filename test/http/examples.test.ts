// Somebody else's apps, which mount the packed package: built and started as their readers would, then used.
import { execFileSync } from "node:child_process";
import { cpSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { root } from "../../scripts/setup/root.mjs";
import { type AppServer, type Program, startServer } from "../support/app-server.ts";
import { type Consumer, createConsumer } from "../support/consumer.ts";
import { storedSession } from "../support/database.ts";
import { problemOf } from "../support/http-client.ts";
import { loadPage, NAVIGATION } from "../support/page-load.ts";
import {
  ACCESS_COOKIE,
  createClient,
  newRetryKey,
  RETRY_COOKIE,
  type SessionClient,
} from "../support/session-client.ts";
import { createWitness, leaks, type Witness } from "../support/witness.ts";

const BUILD_WITHIN_MS = 600_000;
/** What mounting may take: the files of theirs that know of the package, each line that is not empty. */
const MOUNT = { files: 3, lines: 25 };

interface Example {
  readonly name: "hono" | "next";
  /** The page that signs people in. */
  readonly signIn: string;
  /** Page content in a file of its own, which knows of the package because it uses what is mounted. */
  readonly pages: readonly string[];
  /** Makes the copy in this directory ready to start. */
  prepare(directory: string): Program;
}

const EXAMPLES: readonly Example[] = [
  { name: "hono", signIn: "/", pages: [], prepare: prepareHono },
  {
    name: "next",
    signIn: "/sign-in",
    pages: ["app/account/actions.ts", "app/account/page.tsx", "app/sign-in/page.tsx"],
    prepare: prepareNext,
  },
];

let consumer: Consumer;

beforeAll(async () => {
  const names = EXAMPLES.flatMap(({ name }) => Object.keys(manifestOf(name).dependencies));
  const typed = ["typescript", "@types/node", "@types/react", "@types/react-dom"];
  consumer = await createConsumer([...names.filter((name) => name !== "wallet-session"), ...typed]);
});
afterAll(() => consumer.remove());

function manifestOf(name: string): { dependencies: Record<string, string> } {
  return JSON.parse(readFileSync(join(root, "examples", name, "package.json"), "utf8"));
}

function prepareHono(cwd: string): Program {
  const settings = { HORIZON_URL: "none" };
  return { command: process.execPath, args: ["server.ts"], cwd, settings, readyPath: "/" };
}

function prepareNext(cwd: string): Program {
  const bin = join(consumer.project, "node_modules", "next", "dist", "bin", "next");
  // The bundler follows a link out of the project only below this root; nobody else's node_modules is made of links.
  const config = { turbopack: { root: "/" } };
  writeFileSync(join(cwd, "next.config.mjs"), `export default ${JSON.stringify(config)};`);
  const env = { ...process.env, NODE_ENV: "production" as const, NEXT_TELEMETRY_DISABLED: "1" };
  execFileSync(process.execPath, [bin, "build"], { cwd, env, stdio: "pipe" });
  const args = [bin, "start", "--hostname", "127.0.0.1"];
  return { command: process.execPath, args, cwd, settings: { HORIZON_URL: "none" }, readyPath: "/sign-in" };
}

describe.each(EXAMPLES)("$name", ({ name, signIn, pages, prepare }) => {
  let server: AppServer;
  let witness: Witness;
  let client: SessionClient;

  beforeAll(async () => {
    const directory = join(consumer.project, name);
    cpSync(join(root, "examples", name), directory, { recursive: true });
    server = await startServer(prepare(directory));
    witness = createWitness();
    client = createClient(server, witness);
  }, BUILD_WITHIN_MS);
  afterAll(async () => {
    await server.kill("SIGKILL");
    const found = leaks(server, witness);
    await server.stop();
    expect(found).toEqual([]);
  });

  test(`mounts it in at most ${MOUNT.files} files and ${MOUNT.lines} lines`, () => {
    const directory = join(root, "examples", name);
    const mounting = globSync("**/*.{ts,tsx,mjs}", { cwd: directory })
      .filter((path) => !pages.includes(path))
      .map((path) => readFileSync(join(directory, path), "utf8"))
      .filter((source) => /wallet-session|sessions"/.test(source));
    const lines = mounting.flatMap((source) => source.split("\n").filter((line) => line.trim() !== ""));
    expect(mounting.length).toBeLessThanOrEqual(MOUNT.files);
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
    expect(opened.paths).toEqual(["/account", "/api/auth/refresh", signIn]);
    expect([opened.last.status, [...jar.cookies.keys()]]).toEqual([200, []]);
    expect(opened.last.text).not.toContain(key.account);
  });

  test("a signed-out visitor gets to the sign-in page, which knows the way back", async () => {
    const opened = await loadPage(client.browser().send, "/account");
    expect(opened.addresses.at(-1)).toBe(`${signIn}?next=%2Faccount`);
  });

  if (name === "next") {
    test("an action acts for the signed-in visitor, and renews nothing for anybody else", async () => {
      const key = createWalletKeypair();
      const [jar, other] = [await client.signedInBrowser(key), await client.signedInBrowser(key)];
      const { last } = await loadPage(jar.send, "/account");
      const [, action = ""] = /\$ACTION_ID_([0-9a-f]+)/.exec(last.text) ?? [];
      // As Next's own script calls it, from a page at the server's own address: Next compares it with the Host.
      const call = () =>
        jar.send("POST", "/account", {
          headers: {
            Origin: server.address,
            Accept: "text/x-component",
            "Content-Type": "text/plain;charset=UTF-8",
            "Next-Action": action,
          },
          body: "[]",
        });
      expect((await call()).status).toBe(200);
      expect(storedSession(server, other.sessionId).revokedReason).not.toBeNull();

      jar.cookies.delete(ACCESS_COOKIE);
      const away = await call();
      // The action itself has renewed nothing: that is left to the browser that follows it.
      expect(storedSession(server, jar.sessionId).generation).toBe(1);
      const [bounce = ""] = (away.headers.get("x-action-redirect") ?? "").split(";");
      expect(bounce).toMatch(/^\/api\/auth\/refresh\?/);
      expect((await loadPage(jar.send, bounce)).addresses.at(-1)).toBe("/account");
      expect(storedSession(server, jar.sessionId)).toEqual({ generation: 2, revokedReason: null });
    });
  }

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
});

/** Lives for another hour, says its bearer; nobody has signed it. */
function forgedToken(): string {
  const claims = { exp: Math.floor(Date.now() / 1_000) + 3_600, sub: "GAAA" };
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${"A".repeat(86)}`;
}
