// A program whose sessions are bound to a key of its own, over the real handlers.
import { beforeEach, describe, expect, test } from "vitest";
import { ORIGIN, startServer } from "../client/server.fixture.ts";
import { createWalletKeypair } from "../testing.ts";
import {
  createTokenClient,
  type DpopKeyStorage,
  memoryKey,
  memoryStorage,
  stellarSignIn,
  type TokenClientOptions,
  type TokenStorage,
} from "../token-client.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let server: Awaited<ReturnType<typeof startServer>>;
/** Between the program and the server; tests put faults here. */
let network: (request: Request) => Promise<Response>;
let requests: string[];
let storage: TokenStorage;
let key: DpopKeyStorage;
let signatures: number;
/** By how much the program's clock is ahead. */
let aheadMs: number;

beforeEach(async () => {
  server = await startServer();
  network = server.handlers.fetch;
  requests = [];
  storage = memoryStorage();
  key = memoryKey();
  signatures = 0;
  aheadMs = 0;
});

const wallet = createWalletKeypair();

/** A program that starts: what an earlier one held is in the storages alone. */
function program(options: Partial<TokenClientOptions> = {}) {
  return createTokenClient({
    url: `${ORIGIN}/api/auth`,
    storage,
    dpop: { key },
    signIn: stellarSignIn(wallet.account, (challenge) => {
      signatures += 1;
      return wallet.sign(challenge);
    }),
    fetch(input, init) {
      const request = new Request(input, init);
      requests.push(`${request.method} ${new URL(request.url).pathname.replace("/api/auth/", "")}`);
      return network(request);
    },
    environment: { now: () => server.clock.now() + aheadMs, after: runSoon, random: () => 0.5 },
    restMs: 0,
    ...options,
  });
}

/** Pauses take no time, and no request reaches its limit. */
function runSoon(ms: number, task: () => void): () => void {
  if (ms >= 10_000) return () => {};
  const timer = setImmediate(task);
  return () => clearImmediate(timer);
}

const outcomes = () =>
  server.events.flatMap((event) =>
    event.type === "refreshed" ? [`${event.outcome} ${event.generation}`] : [],
  );
const isRefresh = ({ url }: Request) => url.endsWith("/refresh");
const isGood = async (client: ReturnType<typeof program>) =>
  (await client.fetch("/api/auth/session?x=1#here")).status === 200;

describe("a program with a key", () => {
  test("proves it at sign-in, at refreshes and in requests, sends no retry key, and goes on in the next program", async () => {
    const seen: Headers[] = [];
    network = (request) => {
      seen.push(request.headers);
      return server.handlers.fetch(request);
    };
    expect(await isGood(program())).toBe(true);
    server.clock.advance(16 * MINUTE);
    expect(await isGood(program())).toBe(true);
    expect(requests).toEqual(["GET wallet", "POST wallet", "GET session", "POST refresh", "GET session"]);
    expect([signatures, outcomes()]).toEqual([1, ["rotated 2"]]);
    expect(seen.map((headers) => headers.has("dpop"))).toEqual([false, true, true, true, true]);
    expect(seen.some((headers) => headers.has("idempotency-key"))).toBe(false);
    expect(seen.at(-1)?.get("authorization")).toMatch(/^DPoP /);
    expect(server.events.filter(({ type }) => type === "bound")).toHaveLength(1);
    expect(JSON.stringify(await storage.load())).not.toContain('"d"');
  });

  test("sends a request with a body, whatever form it came in", async () => {
    const bodies: string[] = [];
    network = async (request) => {
      if (!request.url.endsWith("/boats")) return server.handlers.fetch(request);
      const { sessionId } = await server.handlers.guard(request);
      bodies.push(`${sessionId.length} ${request.method} ${await request.text()}`);
      return new Response();
    };
    const client = program();
    await client.fetch("/api/boats", { method: "post", body: "one" });
    await client.fetch(new Request(`${ORIGIN}/api/boats`, { method: "PATCH", body: "two" }));
    expect(bodies).toEqual(["22 POST one", "22 PATCH two"]);
  });

  test("a lost answer costs one more request, and no signature", async () => {
    const client = program();
    await client.signIn();
    let lost = 0;
    network = async (request) => {
      const answer = await server.handlers.fetch(request);
      // Of each three answers to a refresh, two are lost, one of them to a retry.
      if (isRefresh(request) && answer.status === 200 && lost++ % 3 < 2) throw new TypeError("lost");
      return answer;
    };
    for (let count = 0; count < 3; count += 1) {
      await client.refresh();
      expect(await isGood(client)).toBe(true);
    }
    const each = (generation: number) => [
      `rotated ${generation}`,
      ...Array(2).fill(`replayed ${generation}`),
    ];
    expect(outcomes()).toEqual([...each(2), ...each(3), ...each(4)]);
    expect(signatures).toBe(1);
  });

  test("that is killed before it stores an answer goes on with the old token, a day later", async () => {
    await program().signIn();
    const { save } = storage;
    storage.save = async () => {
      throw new Error("killed");
    };
    await expect(program().refresh()).rejects.toThrow("killed");
    storage.save = save;
    server.clock.advance(24 * HOUR);
    expect(await isGood(program())).toBe(true);
    expect([signatures, outcomes()]).toEqual([1, ["rotated 2", "replayed 2"]]);
  });

  test.each([-9, 9])(
    "whose clock is %i hours off asks for a nonce, and keeps it for the next requests",
    async (hours) => {
      aheadMs = hours * HOUR;
      const client = program();
      expect(await isGood(client)).toBe(true);
      expect(requests).toEqual(["GET wallet", "POST wallet", "POST wallet", "GET session", "GET session"]);
      requests.length = 0;
      await client.fetch("/api/auth/sessions", { method: "DELETE" });
      expect(requests).toEqual(["DELETE sessions"]);
      server.clock.advance(6 * MINUTE);
      expect(await isGood(client)).toBe(true);
      expect(requests.slice(1)).toEqual(["GET session", "GET session"]);
      await client.refresh();
      expect(await isGood(client)).toBe(true);
      expect(signatures).toBe(1);
    },
  );

  test("a body that is a stream is sent once, and the next request has the nonce", async () => {
    aheadMs = HOUR;
    const client = program();
    await client.signIn();
    network = async (request) => {
      try {
        await server.handlers.guard(request);
        return new Response();
      } catch (error) {
        return server.handlers.problem(error);
      }
    };
    requests.length = 0;
    const send = () => {
      const init = { method: "POST", body: new Blob(["a"]).stream(), duplex: "half" };
      return client.fetch("/api/boats", init as RequestInit);
    };
    expect([(await send()).status, (await send()).status]).toEqual([401, 200]);
    expect(requests).toHaveLength(2);
  });

  test("by a server that asks for nonces in the words of RFC 9449 alone", async () => {
    const client = program({ origins: ["https://api.example.com"] });
    await client.signIn();
    const nonces: unknown[] = [];
    network = async (request) => {
      const [, claims = ""] = (request.headers.get("dpop") ?? "").split(".");
      const { nonce, htu } = JSON.parse(Buffer.from(claims, "base64url").toString());
      nonces.push([nonce, htu]);
      const headers = { "WWW-Authenticate": 'DPoP error="use_dpop_nonce"', "DPoP-Nonce": "theirs" };
      return nonce === "theirs" ? new Response() : new Response(null, { status: 401, headers });
    };
    const htu = "https://api.example.com/boats";
    expect((await client.fetch(`${htu}?page=2#x`)).status).toBe(200);
    expect(nonces).toEqual([
      [undefined, htu],
      ["theirs", htu],
    ]);
  });

  test("asks for a nonce once: a server that always wants another is not asked for ever", async () => {
    const client = program();
    await client.signIn();
    network = async () =>
      Response.json(
        { code: "proof_nonce", detail: "another" },
        { status: 401, headers: { "content-type": "application/problem+json", "dpop-nonce": "another" } },
      );
    requests.length = 0;
    await expect(client.refresh()).rejects.toMatchObject({ code: "proof_nonce" });
    expect((await client.fetch("/api/boats")).status).toBe(401);
    expect(requests).toEqual([...Array(2).fill("POST refresh"), ...Array(2).fill("GET /api/boats")]);
    expect(client.state.status).toBe("signed-in");
  });

  test("a hundred callers share one refresh", async () => {
    const client = program();
    await client.signIn();
    server.clock.advance(16 * MINUTE);
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.fetch("/api/auth/session")));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(outcomes()).toEqual(["rotated 2"]);
  });

  test("for refreshes alone has bearer tokens", async () => {
    const client = program({ dpop: { key, refreshOnly: true } });
    const seen: (string | null)[][] = [];
    network = async (request) => {
      const { headers } = request;
      seen.push([headers.get("authorization"), headers.get("session-binding")]);
      return server.handlers.fetch(request);
    };
    expect(await isGood(client)).toBe(true);
    const bearer = `Bearer ${await client.accessToken()}`;
    await client.refresh();
    expect(seen).toEqual([
      [null, null],
      [null, "refresh-only"],
      [bearer, null],
      [null, null],
    ]);
    expect(outcomes()).toEqual(["rotated 2"]);
  });

  test("is told where a server binds nothing, and holds no session", async () => {
    network = (request) => {
      const headers = new Headers(request.headers);
      headers.delete("dpop");
      return server.handlers.fetch(new Request(request, { headers }));
    };
    await expect(program().signIn()).rejects.toMatchObject({ code: "unexpected_response" });
    expect(await storage.load()).toBeNull();
  });
});

describe("a key that is lost", () => {
  test("ends the session here: the next use signs in once, and goes on", async () => {
    await program().signIn();
    key = memoryKey();
    const client = program();
    expect(await isGood(client)).toBe(true);
    expect([signatures, outcomes()]).toEqual([2, []]);
    server.clock.advance(16 * MINUTE);
    expect(await isGood(client)).toBe(true);
    expect([signatures, outcomes()]).toEqual([2, ["rotated 2"]]);
  });

  test("without a sign-in leaves nothing, and asks the server nothing", async () => {
    await program().signIn();
    key = memoryKey();
    requests.length = 0;
    const client = createTokenClient({
      url: `${ORIGIN}/api/auth`,
      storage,
      dpop: { key },
      fetch: async (input) => {
        requests.push(String(input));
        return new Response(null, { status: 401 });
      },
    });
    expect(await client.refresh()).toEqual({ status: "signed-out", reason: "refresh_token_missing" });
    expect(requests).toEqual([]);
  });

  test("does not keep a sign-out from ending the session", async () => {
    await program().signIn();
    key = memoryKey();
    await program().signOut();
    expect(server.events.filter(({ type }) => type === "revoked")).toHaveLength(1);
  });

  test("is missed too where another program has signed in with a key that this one does not have", async () => {
    const client = program();
    await client.signIn();
    await storage.save(null);
    key = memoryKey();
    await program().signIn();
    await client.refresh();
    expect([signatures, (await isGood(client)) ? 200 : 401]).toEqual([3, 200]);
  });
});

describe("a session from before", () => {
  test("stays as it was signed in, with its retry key, until the next sign-in", async () => {
    const before = createTokenClient({
      url: `${ORIGIN}/api/auth`,
      storage,
      signIn: stellarSignIn(wallet.account, wallet.sign),
      fetch: (input, init) => server.handlers.fetch(new Request(input, init)),
      environment: { now: server.clock.now },
    });
    await before.signIn();
    const client = program();
    const seen: boolean[] = [];
    network = (request) => {
      seen.push(request.headers.has("dpop"), request.headers.has("idempotency-key"));
      return server.handlers.fetch(request);
    };
    await client.refresh();
    expect(seen).toEqual([false, true]);
    await client.signIn();
    expect(await isGood(client)).toBe(true);
    expect(server.events.filter(({ type }) => type === "bound")).toHaveLength(1);
  });

  test("of an older version of this client reads well", async () => {
    const client = program();
    await client.signIn();
    const { bound, ...older } = JSON.parse((await storage.load()) ?? "{}");
    expect(bound).toMatchObject({ scheme: "DPoP" });
    await storage.save(JSON.stringify(older));
    // It holds a DPoP token without knowing: it is refused, and the refresh too.
    expect((await program().fetch("/api/auth/session")).status).toBe(401);
    for (const wrong of [
      { ...bound, nonce: 1 },
      { ...bound, scheme: "Basic" },
      { ...bound, thumbprint: null },
      {},
      7,
    ]) {
      await storage.save(JSON.stringify({ ...older, bound: wrong }));
      await expect(program().refresh()).rejects.toThrow(/something else/);
    }
  });
});
