// The TypeScript in the documents and in the comments of the package: all of it is type-checked, and the examples in the READMEs
// are run.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import manifest from "../../packages/wallet-session/package.json" with { type: "json" };
import { root } from "../setup/root.mjs";
import { type Document, documents, fences } from "./markdown.ts";

const PACKAGE = "packages/wallet-session/README.md";
/** What people call first: each has an example. */
const CALLED_FIRST = [
  "createSessions",
  "sharedSessions",
  "createSessionClient",
  "signIn",
  "createTokenClient",
  "createSessionFeed",
  "SessionProvider",
  "useSession",
  "sessionProxy",
  "sessionGuard",
  "routes",
  "nodeHandler",
  "nodeGuard",
  "nodePageGuard",
  "readConfig",
  "securityWebhook",
  "createMemoryStore",
  "openSqliteStore",
  "openPostgresStore",
  "openRedisStore",
  "createStellarWallet",
  "storeConformance",
  "signInAs",
  "createHandlers",
  "createSessionEngine",
];
const QUOTED = /^\/\/ (examples\/\S+)\n/;
const NAMED = /^\/\/ ([\w./[\]-]+\.tsx?)\b/;

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "snippets-"));
  symlinkSync(join(root, "node_modules"), join(directory, "node_modules"), "dir");
  writeFileSync(
    join(directory, "tsconfig.json"),
    JSON.stringify({
      extends: join(root, "tsconfig.json"),
      compilerOptions: { incremental: false, plugins: [] },
      include: ["**/*.ts", "**/*.tsx"],
      exclude: ["node_modules"],
    }),
  );
  for (const source of [...documents(), ...comments()]) writeSnippets(source);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/**
 * One directory for each document; a snippet whose first line names a file is that file, so that others can import it. What is
 * quoted from an example is checked there.
 */
function writeSnippets(source: Document): void {
  const snippets = [...fences(source, "ts"), ...fences(source, "tsx")];
  for (const [index, { language, code }] of snippets.entries()) {
    if (QUOTED.test(code)) continue;
    const path = join(snippetsOf(source.path), NAMED.exec(code)?.[1] ?? `snippet-${index + 1}.${language}`);
    mkdirSync(dirname(path), { recursive: true });
    // A module of its own, whatever is in it.
    writeFileSync(path, `${code}\nexport {};\n`);
  }
}

/** The doc comments of each source file of the package, as a document that has their examples. */
function comments(): Document[] {
  const folder = "packages/wallet-session/src";
  return globSync("**/*.ts", { cwd: join(root, folder), exclude: ["**/*.test.ts", "**/*.fixture.ts"] }).map(
    (file) => {
      const path = join(folder, file);
      const text = readFileSync(join(root, path), "utf8").match(/\/\*\*[\s\S]*?\*\//g) ?? [];
      return { path, text: text.join("\n").replaceAll(/^ *\* ?/gm, "") };
    },
  );
}

function snippetsOf(path: string): string {
  return join(directory, path.replace(/\.md$/, ""));
}

test("every TypeScript snippet is of the types that it says", () => {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  expect(output(process.execPath, tsc, "-p", directory)).toBe("");
});

test("what is quoted from an example stands there", () => {
  const quotes = documents().flatMap((source) =>
    fences(source, "ts").flatMap(({ code }) => {
      const [head = "", path] = QUOTED.exec(code) ?? [];
      return path === undefined ? [] : [{ path, code: code.slice(head.length) }];
    }),
  );
  expect(quotes.length).toBeGreaterThan(0);
  const stale = quotes.filter(({ path, code }) => !readFileSync(join(root, path), "utf8").includes(code));
  expect(stale).toEqual([]);
});

test("what people call first has an example, by what the package exports", () => {
  const examples = comments()
    .flatMap((source) => fences(source, "ts"))
    .map(({ code }) => code);
  const shown = (name: string) =>
    examples.some((code) => new RegExp(`\\b${name}\\(|\\(${name}\\b`).test(code));
  expect(CALLED_FIRST.filter((name) => !shown(name))).toEqual([]);
  const imported = examples.flatMap((code) => code.match(/(?<=from ")wallet-session[^"]*/g) ?? []);
  const exported = Object.keys(manifest.exports).filter((entry) => !entry.startsWith("./internal/"));
  expect(imported.filter((name) => !exported.includes(name.replace("wallet-session", ".")))).toEqual([]);
});

/** Mounted in Next: what its catch-all route exports. */
test("the example in the README signs in and refreshes", async () => {
  configure("next.db");
  const { sessions } = await load<{ sessions: Mounted }>("README.md", "sessions.ts");
  const route = await load<Record<string, Endpoint>>("README.md", "app/api/auth/[...path]/route.ts");
  try {
    await signInAndRefresh((path, init) => {
      const request = new Request(sessions.config.publicUrl.origin + path, init);
      return route[request.method]?.(request) ?? Promise.reject(new Error(`no ${request.method}`));
    });
  } finally {
    await sessions.close();
  }
});

test("the example in the package's README signs in and refreshes by its server, and guards its route", async () => {
  configure("hono.db");
  const { sessions } = await load<{ sessions: Mounted }>(PACKAGE, "sessions.ts");
  const { origin } = sessions.config.publicUrl;
  // Any free port, but tokens and challenges as at the one that is configured.
  Object.assign(sessions.config, { port: 0 });
  const { server } = await load<{ server: Server }>(PACKAGE, "server.ts");
  const profile = await load<{ GET: Endpoint }>(PACKAGE, "profile.ts");
  try {
    if (!server.listening) await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const tokens = await signInAndRefresh((path, init) => fetch(`http://127.0.0.1:${port}${path}`, init));

    const guarded = (headers: HeadersInit) => profile.GET(new Request(`${origin}/api/profile`, { headers }));
    expect((await guarded({ authorization: `Bearer ${tokens.access_token}` })).status).toBe(200);
    expect((await guarded({})).status).toBe(401);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await sessions.close();
  }
});

function configure(database: string): void {
  Object.assign(process.env, {
    PORT: "3000",
    DATABASE_URL: `sqlite:${join(directory, database)}`,
    AUTH_SECRET: randomBytes(32).toString("hex"),
    STELLAR_SIGNING_SEED: createWalletKeypair().seed,
    LOG_LEVEL: "silent",
  });
}

type Endpoint = (request: Request) => Promise<Response>;

interface Mounted {
  readonly config: { readonly publicUrl: URL };
  close(): Promise<void>;
}

type Send = (path: string, init?: RequestInit) => Promise<Response>;

async function signInAndRefresh(send: Send): Promise<{ access_token: string; refresh_token: string }> {
  const wallet = createWalletKeypair();
  const challenge = await answerOf(await send(`/api/auth/wallet?account=${wallet.account}`));
  const signedIn = await answerOf(
    await send("/api/auth/wallet", post({ transaction: wallet.sign(challenge) })),
  );
  const refresh = post(
    { refresh_token: signedIn.refresh_token },
    { "idempotency-key": "made-once-per-token" },
  );
  const refreshed = await answerOf(await send("/api/auth/refresh", refresh));
  expect(refreshed.session_id).toBe(signedIn.session_id);
  expect(refreshed.refresh_token).not.toBe(signedIn.refresh_token);
  expect((await answerOf(await send("/api/auth/refresh", refresh))).refresh_token).toBe(
    refreshed.refresh_token,
  );
  return refreshed;
}

function post(body: object, headers: Record<string, string> = {}): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}

async function answerOf(response: Response) {
  const answer = await response.json();
  expect({ status: response.status, ...answer }).toMatchObject({ status: 200 });
  return answer;
}

async function load<Module>(source: string, path: string): Promise<Module> {
  return import(pathToFileURL(join(snippetsOf(source), path)).href) as Promise<Module>;
}

/** All that a program prints, whether it fails or not. */
function output(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    return error instanceof Error && "stdout" in error ? `${error.stdout}` : String(error);
  }
}
