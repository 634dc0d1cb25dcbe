// Two processes of `wallet-session serve` on one database, while clients refresh all the time: no honest token is refused,
// no session ends. What a restart cuts off is retried, at the other process, with the same key.
import { setTimeout as delay } from "node:timers/promises";
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from "jose";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { type AppServer, startServe } from "./app-server.ts";
import { withDatabase } from "./database.ts";
import { createClient, newRetryKey, type SessionClient, type Tokens } from "./session-client.ts";
import { createWitness, leaks } from "./witness.ts";

const PUBLIC_URL = "http://localhost:3000";
const CLIENTS = 4;
const TRIES = 20;
const RETRY_MS = 25;

/** Sends one request, to one process after the other until it is answered. */
type Answered = <T>(turn: number, send: (client: SessionClient) => Promise<T>) => Promise<T>;

/** Sessions that are refreshed without a pause. */
interface Load {
  /** The keys that have signed an access token so far. */
  readonly keyIds: ReadonlySet<string>;
  /** Resolves when every session has been refreshed twice from now on, rejects when one was refused anything. */
  everybodyTwice(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts both before the tests of the calling file and stops them after. By then no secret may be in their output. */
export function rollingServers() {
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

  const answered: Answered = async (turn, send) => {
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
  };

  /** Stops and starts one process after the other, as a deployment does; both kinds serve for a while. */
  async function roll(load: Load, changed: Record<string, string> = {}): Promise<void> {
    for (const server of servers) {
      await server.kill("SIGTERM");
      await server.start(changed);
      await load.everybodyTwice();
    }
  }

  function server(): AppServer {
    const [first] = servers;
    if (first === undefined) throw new Error("no server");
    return first;
  }

  return {
    server,
    startLoad: () => startLoad(answered),
    roll,
    newestKeySigns: () => newestKeySigns(server()),
  };
}

/** Each token is refreshed at another process than the one before. */
async function startLoad(answered: Answered): Promise<Load> {
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
      const jwks = await answered(turn, (client) => client.send("GET", "/.well-known/jwks.json"));
      await verifyBy(jwks.text, accessToken);
      keyIds.add(String(decodeProtectedHeader(accessToken).kid));
      refreshes[index] = (refreshes[index] ?? 0) + 1;
    }
  }

  const lives = Promise.all(signedIn.map((tokens, index) => live(index, tokens)));
  // Those who wait below hear of a failure.
  lives.catch(() => {});
  onTestFinished(() => {
    stopping = true;
  });
  return {
    keyIds,
    async everybodyTwice() {
      const before = [...refreshes];
      while (refreshes.some((count, index) => count < (before[index] ?? 0) + 2)) {
        await Promise.race([lives, delay(RETRY_MS)]);
      }
    },
    async stop() {
      stopping = true;
      await lives;
    },
  };
}

/** As a resource server does that knows the public keys alone. */
async function verifyBy(jwks: string, accessToken: string): Promise<void> {
  const keys = createLocalJWKSet(JSON.parse(jwks) as JSONWebKeySet);
  await jwtVerify(accessToken, keys, { issuer: PUBLIC_URL, audience: PUBLIC_URL, typ: "at+jwt" });
}

/** As if the ten minutes had passed for which a new key is only published. Processes see it when they start. */
function newestKeySigns(server: AppServer): string {
  return withDatabase(server, (database) => {
    const newest = database.prepare("SELECT kid FROM signing_keys ORDER BY position DESC LIMIT 1").get();
    database
      .prepare("UPDATE signing_keys SET signs_from = ? WHERE kid = ?")
      .run(Date.now(), newest?.kid ?? "");
    return String(newest?.kid);
  });
}
