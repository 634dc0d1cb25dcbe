// Other people's servers: installed once, by their own lockfile, into a cache; each started as a process of its own.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import * as adapters from "../../packages/refresh-conformance/peers/adapters.ts";
import {
  type Adapter,
  type CreateAdapter,
  sqliteHooks,
} from "../../packages/refresh-conformance/src/index.ts";
import { startServer } from "../../test/support/app-server.ts";
import { npm, runQuietly } from "../setup/child.mjs";
import { root } from "../setup/root.mjs";

const HOME = join(root, "packages/refresh-conformance/peers");
const CACHE = join(homedir(), ".cache/refresh-conformance-peers");

interface Peer {
  /** The server's file. */
  readonly file: string;
  readonly create: CreateAdapter;
  readonly settings?: Readonly<Record<string, string>>;
  /** Its SQLite file and the tables of its sessions there, where it has them. */
  readonly database?: readonly [file: string, ...tables: string[]];
}

const BETTER_AUTH_TABLES = ["session", "oauthRefreshToken"] as const;
export const PEERS: readonly Peer[] = [
  { file: "oidc-provider.mjs", create: adapters.oidcProvider, database: ["oidc.db", "models"] },
  {
    file: "oidc-provider.mjs",
    create: adapters.oidcProviderSlow,
    settings: { STORE_MS: "2" },
    database: ["oidc.db", "models"],
  },
  { file: "node-oauth2-server.mjs", create: adapters.nodeOauth2Server, database: ["oauth2.db", "tokens"] },
  { file: "openauth.mjs", create: adapters.openauth },
  {
    file: "better-auth.mjs",
    create: adapters.betterAuthSession,
    settings: { SESSION_TTL: "20" },
    database: ["better-auth.db", ...BETTER_AUTH_TABLES],
  },
  {
    file: "better-auth.mjs",
    create: adapters.betterAuthOauth,
    database: ["better-auth.db", ...BETTER_AUTH_TABLES],
  },
  {
    file: "better-auth.mjs",
    create: adapters.betterAuthOauthReuse,
    settings: { REUSE_INTERVAL: "3" },
    database: ["better-auth.db", ...BETTER_AUTH_TABLES],
  },
];

export async function startPeer(
  peer: Peer,
): Promise<{ adapter: Adapter; url: string; stop: () => Promise<void> }> {
  await installPeers();
  const data = mkdtempSync(join(tmpdir(), "refresh-peer-"));
  const settings = { DATA: data, NODE_ENV: "production", ...peer.settings };
  const program = {
    command: process.execPath,
    args: [join(CACHE, peer.file)],
    cwd: CACHE,
    settings,
    readyPath: "/ready",
  };
  const server = await startServer(program);
  const url = `http://localhost:${new URL(server.address).port}`;
  const [file, ...tables] = peer.database ?? [];
  const adapter: Adapter = {
    ...(await peer.create({ url })),
    restart: () => server.restart("SIGKILL"),
    ...(file !== undefined && sqliteHooks(join(data, file), tables)),
  };
  const stop = async () => {
    await server.stop();
    rmSync(data, { recursive: true });
  };
  return { adapter, url, stop };
}

/** The servers' files are copied anew each time; their packages are installed when the lockfile has changed. */
async function installPeers(): Promise<void> {
  const lock = readFileSync(join(HOME, "package-lock.json"), "utf8");
  const installed = join(CACHE, "installed-lock.json");
  cpSync(HOME, CACHE, { recursive: true });
  if (existsSync(installed) && readFileSync(installed, "utf8") === lock) return;
  console.log("Installing the other servers, once.");
  const { code, output } = await runQuietly({
    ...npm("ci", "--ignore-scripts", "--no-audit", "--no-fund"),
    cwd: CACHE,
  });
  if (code !== 0) throw new Error(`The other servers could not be installed:\n${output}`);
  writeFileSync(installed, lock);
}
