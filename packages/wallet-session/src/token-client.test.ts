import { beforeEach, describe, expect, test } from "vitest";
import { Scheduler } from "../test/simulation/scheduler.ts";
import { ORIGIN, startServer } from "./client/server.fixture.ts";
import { createWalletKeypair } from "./testing.ts";
import {
  createTokenClient,
  memoryStorage,
  type SignIn,
  stellarSignIn,
  type TokenClientOptions,
  type TokenStorage,
} from "./token-client.ts";

const MINUTE = 60_000;

let server: Awaited<ReturnType<typeof startServer>>;
/** Between the program and the server; tests put faults here. */
let network: (request: Request) => Promise<Response>;
let storage: TokenStorage;
let signatures: number;
let wallet: ReturnType<typeof createWalletKeypair>;

beforeEach(async () => {
  server = await startServer();
  network = server.handlers.fetch;
  storage = memoryStorage();
  signatures = 0;
  wallet = createWalletKeypair();
});

const byWallet = () =>
  stellarSignIn(wallet.account, (challenge) => {
    signatures += 1;
    return wallet.sign(challenge);
  });

/** A program that starts: what an earlier one held is in the storage alone. */
function program(signIn: SignIn | null = byWallet(), options: Partial<TokenClientOptions> = {}) {
  return createTokenClient({
    url: `${ORIGIN}/api/auth`,
    storage,
    ...(signIn !== null && { signIn }),
    fetch: (input, init) => network(new Request(input, init)),
    environment: { now: server.clock.now, after: runSoon, random: () => 0.5 },
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
const alarms = () => server.events.filter(({ type }) => type === "reuse_detected");
const isRefresh = (request: Request) => request.url.endsWith("/refresh");
const loseAnswer = async (request: Request): Promise<Response> => {
  await server.handlers.fetch(request);
  throw new TypeError("the connection was lost");
};

describe("the life of a session", () => {
  test("signs once, renews under the request that needs it, and goes on in the next program", async () => {
    const client = program();
    expect(client.state).toEqual({ status: "unknown" });
    expect((await client.fetch("/api/auth/sessions")).status).toBe(200);
    server.clock.advance(16 * MINUTE);
    expect((await client.fetch(`${ORIGIN}/api/auth/sessions`)).status).toBe(200);
    const next = program();
    expect((await next.fetch(new URL("/api/auth/session", ORIGIN))).status).toBe(200);
    expect(next.state).toEqual(client.state);
    expect([signatures, outcomes()]).toEqual([1, ["rotated 2"]]);
  });

  test("a refresh where there is no session signs in", async () => {
    expect((await program().refresh()).status).toBe("signed-in");
    expect([signatures, outcomes()]).toEqual([1, []]);
  });

  test("a hundred callers share one refresh", async () => {
    const client = program();
    await client.signIn();
    server.clock.advance(16 * MINUTE);
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.fetch("/api/auth/session")));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(outcomes()).toEqual(["rotated 2"]);
  });

  test("a hundred calls share one renewal, and its failure", async () => {
    const client = program(byWallet(), { restMs: 0 });
    await client.signIn();
    const hundred = () => Promise.allSettled(Array.from({ length: 100 }, client.refresh));
    expect((await hundred()).map(({ status }) => status)).toEqual(Array(100).fill("fulfilled"));
    expect(outcomes()).toEqual(["rotated 2"]);
    let sent = 0;
    network = async () => {
      sent += 1;
      throw new TypeError("offline");
    };
    expect((await hundred()).map(({ status }) => status)).toEqual(Array(100).fill("rejected"));
    // The tries of one renewal.
    expect(sent).toBe(4);
  });

  test("a call that shares another's outcome gets what it asked for all the same", async () => {
    const client = program();
    await client.signIn();
    server.clock.advance(10 * MINUTE);
    await program().refresh();
    server.clock.advance(6 * MINUTE);
    // For the first, the other program's token is good enough: nine minutes are left of it.
    const [short, long] = await Promise.all([client.accessToken(), client.accessToken(10 * MINUTE)]);
    expect(outcomes()).toEqual(["rotated 2", "rotated 3"]);
    expect(long).not.toBe(short);
  });

  test("a token asked for longer than any lives is renewed once, not at each call", async () => {
    const client = program();
    await client.signIn();
    const first = await client.accessToken(60 * MINUTE);
    server.clock.advance(11_000);
    const second = await client.accessToken(60 * MINUTE);
    expect(await client.accessToken(60 * MINUTE)).toBe(second);
    expect(second).not.toBe(first);
    expect(outcomes()).toEqual(["rotated 2"]);
  });

  test("signing out ends the session and empties the storage", async () => {
    const client = program();
    await client.signIn();
    const token = await client.accessToken();
    expect(await client.signOut()).toEqual({ status: "signed-out", reason: "signed_out" });
    expect(await storage.load()).toBeNull();
    const headers = { authorization: `Bearer ${token}` };
    const late = await server.handlers.fetch(new Request(`${ORIGIN}/api/auth/session`, { headers }));
    expect(late.status).toBe(401);
  });

  test("nothing that changes the session is sent without the lock of the storage", async () => {
    const kept = memoryStorage();
    let isLocked = false;
    storage = {
      ...kept,
      lock: (task) =>
        kept.lock(async () => {
          isLocked = true;
          return task().finally(() => {
            isLocked = false;
          });
        }),
    };
    const sent: [string, boolean][] = [];
    network = (request) => {
      sent.push([new URL(request.url).pathname.slice("/api/auth/".length), isLocked]);
      return server.handlers.fetch(request);
    };
    const client = program(byWallet(), { restMs: 0 });
    await client.signIn();
    await client.refresh();
    await client.signOut();
    expect(sent).toEqual(["wallet", "wallet", "refresh", "logout"].map((path) => [path, true]));
  });

  test("a refused signature has the server's code", async () => {
    const thief = createWalletKeypair();
    const client = program(stellarSignIn(wallet.account, thief.sign));
    await expect(client.signIn()).rejects.toMatchObject({ code: "signature_invalid", status: 400 });
    await expect(program(stellarSignIn("nobody", thief.sign)).signIn()).rejects.toMatchObject({
      code: "invalid_request",
    });
  });

  test("without signIn, requests go without a token, and nobody signs", async () => {
    const client = program(null);
    expect((await client.fetch("/api/auth/session")).status).toBe(401);
    expect(await client.accessToken()).toBeNull();
    expect(client.state).toEqual({ status: "signed-out", reason: "refresh_token_missing" });
    await expect(client.signIn()).rejects.toThrow("no signIn");
  });
});

describe("what networks and crashes do", () => {
  test("a lost answer is asked for again with the same key, and brings the same successor", async () => {
    const client = program();
    await client.signIn();
    server.clock.advance(16 * MINUTE);
    let lost = 0;
    network = (request) => {
      if (!isRefresh(request) || lost++ > 0) return server.handlers.fetch(request);
      return loseAnswer(request);
    };
    expect((await client.fetch("/api/auth/session")).status).toBe(200);
    expect([outcomes(), alarms(), signatures]).toEqual([["rotated 2", "replayed 2"], [], 1]);
  });

  test("an answer that never comes is given up after 10 s, and no request brings cookies", async () => {
    const limits: (() => void)[] = [];
    const after = (ms: number, task: () => void) => {
      if (ms !== 10_000) return runSoon(ms, task);
      limits.push(task);
      return () => {};
    };
    await program().signIn();
    const client = program(null, { restMs: 0, environment: { ...server.clock, after, random: () => 0.5 } });
    const ends: [aborted: boolean, credentials: string][] = [];
    network = async ({ signal, credentials }) => {
      limits.at(-1)?.();
      ends.push([signal.aborted, credentials]);
      throw signal.reason ?? new TypeError("nobody gave it up");
    };
    await expect(client.refresh()).rejects.toMatchObject({ code: "network_error" });
    expect(ends).toEqual(Array(4).fill([true, "omit"]));
    expect(client.state.status).toBe("signed-in");
  });

  test("a program that ends before the answer comes leaves its key to the next", async () => {
    const client = program();
    await client.signIn();
    server.clock.advance(16 * MINUTE);
    network = loseAnswer;
    await expect(client.accessToken()).rejects.toMatchObject({ code: "network_error" });
    expect(client.state.status).toBe("signed-in");
    network = server.handlers.fetch;
    server.clock.advance(60 * MINUTE);
    expect(await program().accessToken()).not.toBeNull();
    expect([alarms(), signatures]).toEqual([[], 1]);
  });

  test("a token that could not be stored is not used", async () => {
    const client = program();
    await client.signIn();
    server.clock.advance(16 * MINUTE);
    const { save } = storage;
    const saved: (string | null)[] = [];
    storage.save = async (text) => {
      saved.push(text);
      if (saved.length === 2) throw new Error("the disk is full");
      await save(text);
    };
    await expect(client.accessToken()).rejects.toThrow("the disk is full");
    // What was stored before the request: the old token with its key.
    expect(JSON.parse(saved[0] ?? "")).toMatchObject({ retryKey: expect.stringMatching(/^[\w-]{16,}$/) });
    expect(await storage.load()).toBe(saved[0]);
    storage.save = save;
    expect(await program().accessToken()).not.toBeNull();
    expect([outcomes(), alarms()]).toEqual([["rotated 2", "replayed 2"], []]);
  });

  test.each([
    ["a portal's page", () => new Response("<p>Pay here</p>", { status: 200 })],
    ["a proxy's own 401", () => new Response("no", { status: 401 })],
    ["a busy server", () => new Response("", { status: 503, headers: { "retry-after": "60" } })],
    ["a foreign JSON", () => Response.json({ access_token: "x" })],
  ])("%s ends nothing", async (_, answer) => {
    const client = program();
    await client.signIn();
    server.clock.advance(16 * MINUTE);
    network = async () => answer();
    await expect(client.accessToken()).rejects.toMatchObject({ name: "SessionClientError" });
    expect(client.state.status).toBe("signed-in");
    network = server.handlers.fetch;
    server.clock.advance(MINUTE);
    expect(await client.accessToken()).not.toBeNull();
    expect(signatures).toBe(1);
  });

  test("a server that asks for a wait is left alone until it is over", async () => {
    const client = program();
    await client.signIn();
    server.clock.advance(16 * MINUTE);
    let sent = 0;
    network = async () => {
      sent += 1;
      return new Response("", { status: 503, headers: { "retry-after": "60" } });
    };
    for (let calls = 0; calls < 3; calls += 1) {
      await expect(client.accessToken()).rejects.toMatchObject({ status: 503 });
    }
    expect(sent).toBe(1);
    server.clock.advance(MINUTE);
    await expect(client.accessToken()).rejects.toMatchObject({ status: 503 });
    expect(sent).toBe(2);
  });

  test("a storage with something else in it is a fault, and nobody is signed out", async () => {
    await storage.save(JSON.stringify({ refreshToken: 1 }));
    await expect(program().accessToken()).rejects.toThrow("something else");
    expect(await storage.load()).toBe(JSON.stringify({ refreshToken: 1 }));
  });
});

describe("the end of a session", () => {
  test("is told with its reason, and the next request signs in anew", async () => {
    const client = program();
    await client.signIn();
    const states: unknown[] = [];
    client.subscribe((state) => states.push(state));
    const { actorId, sessionId } = await server.engine.authenticate((await client.accessToken()) ?? "");
    await server.engine.revokeSession(actorId, sessionId);
    expect((await client.fetch("/api/auth/session")).status).toBe(200);
    expect(states).toEqual([
      { status: "signed-out", reason: "refresh_token_revoked" },
      { status: "signed-in", sessionId: expect.any(String) },
    ]);
    expect(signatures).toBe(2);
  });

  test("a copied token that was used elsewhere ends it, and is told as that", async () => {
    await program().signIn();
    const { refreshToken } = JSON.parse((await storage.load()) ?? "");
    await server.engine.refresh(refreshToken);
    server.clock.advance(16 * MINUTE);
    const owner = program(null);
    expect(await owner.refresh()).toEqual({ status: "signed-out", reason: "refresh_token_reused" });
    expect(await storage.load()).toBeNull();
    expect(alarms()).toHaveLength(1);
  });
});

describe("in the background", () => {
  let world: Scheduler;
  let given: number;
  let refreshedAt: number[];

  beforeEach(() => {
    world = new Scheduler();
    given = 0;
    refreshedAt = [];
    network = async (request) => {
      if (isRefresh(request)) refreshedAt.push(world.nowMs / MINUTE);
      return tokens();
    };
  });

  const tokens = () => {
    given += 1;
    return Response.json({
      session_id: "session",
      access_token: `access ${given}`,
      refresh_token: `refresh ${given}`,
      expires_in: 900,
    });
  };
  const timed = (signIn: SignIn | null = null) =>
    program(signIn, {
      environment: {
        now: () => world.nowMs,
        after: (delayMs, task) => world.plan({ label: "timer", delayMs }, task),
        random: () => 0.5,
      },
    });

  test("a token is renewed at its time, also where the program starts in the middle of its life", async () => {
    await timed().signIn(async () => tokens());
    await world.runFor(6 * MINUTE);
    const stop = timed().start();
    await world.runFor(15 * MINUTE);
    expect(refreshedAt).toEqual([10.5, 21]);
    stop();
    await world.runFor(60 * MINUTE);
    expect(refreshedAt).toEqual([10.5, 21]);
  });

  test("a short token is not renewed while it is good and new: a proxy may still repeat the last request", async () => {
    const short = { session_id: "session", access_token: "short", refresh_token: "refresh", expires_in: 8 };
    await timed().signIn(async () => Response.json(short));
    timed().start();
    await world.runFor(7_900);
    expect(refreshedAt).toEqual([]);
    await world.runFor(MINUTE);
    expect(refreshedAt).toHaveLength(1);
  });

  test("programs that share a storage renew once for all", async () => {
    await timed().signIn(async () => tokens());
    timed().start();
    await world.runFor(MINUTE);
    timed().start();
    await world.runFor(31 * MINUTE);
    expect(refreshedAt).toEqual([10.5, 21, 31.5]);
  });

  test("a storage that fails for a while does not end it", async () => {
    const client = timed();
    await client.signIn(async () => tokens());
    client.start();
    await world.runFor(10 * MINUTE);
    const { load } = storage;
    storage.load = async () => {
      throw new Error("the disk is gone");
    };
    await world.runFor(2 * MINUTE);
    expect(refreshedAt).toEqual([]);
    storage.load = load;
    await world.runFor(MINUTE);
    expect(refreshedAt).toHaveLength(1);
  });

  test("nobody signs: a session that has ended is begun again by the next request", async () => {
    const asked: number[] = [];
    const client = timed(async () => {
      asked.push(world.nowMs / MINUTE);
      return tokens();
    });
    await client.signIn();
    client.start();
    network = async () =>
      Response.json(
        { code: "refresh_token_revoked" },
        { status: 401, headers: { "content-type": "application/problem+json" } },
      );
    await world.runFor(60 * MINUTE);
    const ended = { status: "signed-out", reason: "refresh_token_revoked" };
    expect([client.state, asked]).toEqual([ended, [0]]);
    expect(await client.accessToken()).not.toBeNull();
    expect(asked).toEqual([0, 60]);
  });
});

test("other origins never see the token", async () => {
  const seen: (string | null)[] = [];
  const client = program(byWallet(), { origins: ["https://api.example.com"] });
  network = async (request) => {
    if (request.url.startsWith(ORIGIN)) return server.handlers.fetch(request);
    seen.push(request.headers.get("authorization"));
    return new Response("ok");
  };
  await client.fetch("https://evil.example.com/api/auth/session");
  await client.fetch("https://api.example.com/streams");
  expect(seen).toEqual([null, `Bearer ${await client.accessToken()}`]);
});

test("a server that adds a slash to each path keeps its program signed in; no other redirect is followed", async () => {
  const asked: string[] = [];
  network = async (request) => {
    const { pathname, search } = new URL(request.url);
    asked.push(pathname);
    if (pathname.endsWith("/")) return server.handlers.fetch(request);
    return new Response(null, { status: 308, headers: { location: `${pathname}/${search}` } });
  };
  const client = program();
  expect((await client.signIn()).status).toBe("signed-in");
  server.clock.advance(20 * MINUTE);
  expect((await client.refresh()).status).toBe("signed-in");
  expect((await client.signOut()).status).toBe("signed-out");
  expect(asked).toEqual(
    ["wallet", "wallet/", "wallet/", "refresh/", "logout/"].map((path) => `/api/auth/${path}`),
  );

  asked.length = 0;
  network = async (request) => {
    asked.push(request.url);
    return new Response(null, { status: 307, headers: { location: "https://elsewhere.example/" } });
  };
  await expect(client.signIn()).rejects.toMatchObject({ code: "unexpected_response" });
  expect(asked).toEqual([`${ORIGIN}/api/auth/wallet/?account=${wallet.account}`]);
});
