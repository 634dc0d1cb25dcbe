// AUTH_SECRET and the signing keys change on two processes of `wallet-session serve` while clients refresh all the time: no
// honest token is refused, no session ends. What a restart cuts off is retried, at the other process, with the same key.
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from "jose";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { run } from "../../packages/wallet-session/src/cli/run.ts";
import { type AppServer, startServe } from "../support/app-server.ts";
import { withDatabase } from "../support/database.ts";
import { createClient, newRetryKey, type SessionClient, type Tokens } from "../support/session-client.ts";
import { createWitness, leaks } from "../support/witness.ts";

const PUBLIC_URL = "http://localhost:3000";
const CLIENTS = 4;
const TRIES = 20;
const RETRY_MS = 25;
const TEST_TIMEOUT_MS = 180_000;
const newSecret = () => randomBytes(48).toString("base64url");

const witness = createWitness();
let servers: AppServer[] = [];
let clients: SessionClient[] = [];

beforeAll(async () => {
  const settings = { PUBLIC_URL };
  const one = await startServe(settings);
  servers = [one, await startServe(settings, one)];
  clients = servers.map((server) => createClient(server, witness));
});
afterAll(async () => {
  for (const server of servers) await server.kill("SIGTERM");
  const found = servers.flatMap((server) => leaks(server, witness));
  for (const server of servers.toReversed()) await server.stop();
  expect(found).toEqual([]);
});

/** One request, sent to one process after the other until it is answered. */
async function answered<T>(turn: number, send: (client: SessionClient) => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const client = clients[(turn + tries) % clients.length];
    if (client === undefined) throw new Error("no client");
    try {
      return await send(client);
    } catch (error) {
      // `fetch` says so when the connection was refused or cut. An answer, whatever it is, is taken.
      if (!(error instanceof TypeError) || tries === TRIES) throw error;
    }
    await delay(RETRY_MS);
  }
}

/** Sessions that are refreshed without a pause, each token at another process than the one before. */
async function startLoad() {
  const signedIn = await Promise.all(
    Array.from({ length: CLIENTS }, (_, turn) => answered(turn, (client) => client.signIn())),
  );
  const refreshes = signedIn.map(() => 0);
  const keyIds = new Set<string>();
  let stopping = false;

  async function live(index: number, first: Tokens): Promise<void> {
    for (let tokens = first, turn = index; !stopping; turn += 1) {
      const { refreshToken } = tokens;
      const retryKey = newRetryKey();
      tokens = await answered(turn, async (client) => client.rotated(refreshToken, retryKey));
      const { accessToken } = tokens;
      const listed = await answered(turn + 1, (client) => client.list(accessToken));
      if (listed.status !== 200) throw new Error(`access token refused: ${listed.status} ${listed.text}`);
      await verifyByJwks(accessToken, turn);
      keyIds.add(String(decodeProtectedHeader(accessToken).kid));
      refreshes[index] = (refreshes[index] ?? 0) + 1;
    }
  }

  const lives = Promise.all(signedIn.map((tokens, index) => live(index, tokens)));
  // Whoever waits below hears of it.
  lives.catch(() => {});
  onTestFinished(() => {
    stopping = true;
  });
  return {
    keyIds,
    /** Resolves when every session has been refreshed twice from now on, rejects when one was refused anything. */
    async everybodyTwice(): Promise<void> {
      const before = [...refreshes];
      while (refreshes.some((count, index) => count < (before[index] ?? 0) + 2)) {
        await Promise.race([lives, delay(RETRY_MS)]);
      }
    },
    async stop(): Promise<void> {
      stopping = true;
      await lives;
    },
  };
}

type Load = Awaited<ReturnType<typeof startLoad>>;

/** As a resource server does that knows the public keys alone, from whichever process answers it. */
async function verifyByJwks(accessToken: string, turn: number): Promise<void> {
  const jwks = await answered(turn, (client) => client.send("GET", "/.well-known/jwks.json"));
  const keys = createLocalJWKSet(JSON.parse(jwks.text) as JSONWebKeySet);
  await jwtVerify(accessToken, keys, { issuer: PUBLIC_URL, audience: PUBLIC_URL, typ: "at+jwt" });
}

/** Stops and starts one process after the other, as a deployment does; both kinds serve for a while. */
async function roll(load: Load, changed: Record<string, string> = {}): Promise<void> {
  for (const server of servers) {
    await server.kill("SIGTERM");
    await server.start(changed);
    await load.everybodyTwice();
  }
}

/** As if the ten minutes had passed for which a new key is only published. Processes see it when they start. */
function newestKeySigns(): string {
  return withDatabase(server(), (database) => {
    const newest = database.prepare("SELECT kid FROM signing_keys ORDER BY position DESC LIMIT 1").get();
    database
      .prepare("UPDATE signing_keys SET signs_from = ? WHERE kid = ?")
      .run(Date.now(), newest?.kid ?? "");
    return String(newest?.kid);
  });
}

function server(): AppServer {
  const [first] = servers;
  if (first === undefined) throw new Error("no server");
  return first;
}

test(
  "AUTH_SECRET: the new one behind, then in front, then alone",
  async () => {
    const load = await startLoad();
    const [before] = server().settings.AUTH_SECRET?.split(",") ?? [];
    const after = newSecret();
    await load.everybodyTwice();
    await roll(load, { AUTH_SECRET: `${before},${after}` });
    await roll(load, { AUTH_SECRET: `${after},${before}` });
    const kid = newestKeySigns();
    await roll(load);
    await roll(load, { AUTH_SECRET: after });
    await load.stop();
    expect(load.keyIds).toContain(kid);
    expect(load.keyIds.size).toBe(2);
  },
  TEST_TIMEOUT_MS,
);

test(
  "keys rotate: the new key is known everywhere before it signs",
  async () => {
    const load = await startLoad();
    await load.everybodyTwice();
    const { DATABASE_URL, AUTH_SECRET } = server().settings;
    const out: string[] = [];
    const code = await run(["keys", "rotate", "--json"], {
      env: { DATABASE_URL, AUTH_SECRET },
      out: (line) => out.push(line),
      note: () => {},
      confirm: async () => null,
    });
    expect(code).toBe(0);
    await roll(load);
    expect(load.keyIds.size).toBe(1);
    const kid = newestKeySigns();
    expect(JSON.parse(out.join("")).kid).toBe(kid);
    await roll(load);
    await load.stop();
    expect(load.keyIds).toContain(kid);
    expect(load.keyIds.size).toBe(2);
  },
  TEST_TIMEOUT_MS,
);
