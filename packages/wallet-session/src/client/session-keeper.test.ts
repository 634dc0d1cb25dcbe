import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  cut,
  type Handler,
  json,
  portal,
  problem,
  ScriptedServer,
  tokens,
} from "../../test/scripted-server.ts";
import { TestPage } from "../../test/test-page.ts";
import { createSessionClient, type SessionClient, type SessionClientOptions } from "../client.ts";
import { cookieNames } from "../cookie-names.ts";

const COOKIES = cookieNames("ws");
const retryKeyOf = (cookies: string) => new RegExp(`${COOKIES.retry}=([^;]+)`).exec(cookies)?.[1];

const REFRESH = "POST /api/auth/refresh";
const SESSION = "GET /api/auth/session";

let server: ScriptedServer;
let page: TestPage;
let client: SessionClient;

beforeEach(async () => {
  server = await new ScriptedServer().start();
  page = new TestPage();
  client = newTab();
});

afterEach(() => server.stop());

function newTab(options: SessionClientOptions = {}): SessionClient {
  return createSessionClient({
    basePath: `${server.origin}/api/auth`,
    fetch: page.fetch,
    environment: page.environment,
    ...options,
  });
}

async function signedIn(sessionId = "s1", expiresIn = 900): Promise<void> {
  server.answers(SESSION, json({ actor_id: "G", session_id: sessionId, expires_in: expiresIn }));
  await client.check();
}

describe("refresh", () => {
  beforeEach(() => signedIn());

  test("calls at the same moment share one request", async () => {
    server.answers(REFRESH, tokens());
    await Promise.all([client.refresh(), client.refresh(), client.refresh()]);
    expect(server.calls(REFRESH)).toHaveLength(1);
    const lockless = newTab({ environment: { ...page.environment, locks: undefined } });
    await Promise.all([lockless.refresh(), lockless.refresh()]);
    expect(server.calls(REFRESH)).toHaveLength(2);
  });

  test.each([
    "refresh_token_missing",
    "refresh_token_invalid",
    "refresh_token_expired",
    "refresh_token_revoked",
    "refresh_token_reused",
    "session_revoked",
  ])("%s signs out", async (code) => {
    server.answers(REFRESH, problem(401, code));
    expect(await client.refresh()).toEqual({ status: "signed-out", reason: code });
    page.pass(24 * 3_600_000);
    expect(server.calls(REFRESH)).toHaveLength(1);
  });

  test.each([
    ["rate_limited", problem(429, "rate_limited", { "retry-after": "7" }), "rate_limited"],
    ["store_unavailable", problem(503, "store_unavailable"), "store_unavailable"],
    ["cross_origin", problem(403, "cross_origin"), "cross_origin"],
    [
      "a terminal code in plain JSON",
      json({ code: "refresh_token_revoked" }, {}, 401),
      "unexpected_response",
    ],
    ["a portal's 401", portal, "unexpected_response"],
    ["a cut connection", cut, "network_error"],
    [
      "a redirect",
      ((_, r) => void r.writeHead(302, { location: "/" }).end()) satisfies Handler,
      "unexpected_response",
    ],
  ])("%s does not sign out, and the next try uses the same retry key", async (_, answer, code) => {
    server.answers(REFRESH, answer);
    await expect(client.refresh()).rejects.toMatchObject({ code });
    expect(client.state.status).toBe("signed-in");
    server.answers(REFRESH, tokens());
    await client.refresh();
    const [first, second] = server.calls(REFRESH).map(({ cookies }) => retryKeyOf(cookies));
    expect(first).toMatch(/^[0-9a-z]{32,}$/);
    expect(second).toBe(first);
  });

  test("a server that adds a slash to each path is followed, by the base path with a slash or without", async () => {
    for (const basePath of ["/api/auth", "/api/auth/"]) {
      const tab = newTab({ basePath: server.origin + basePath });
      const addSlash: Handler = (request, r) => void r.writeHead(308, { location: `${request.url}/` }).end();
      server.answers(REFRESH, addSlash);
      server.answers(`${REFRESH}/`, tokens("s2"));
      expect(await tab.refresh()).toEqual({ status: "signed-in", sessionId: "s2" });
    }
  });

  test("a new token gets a new retry key", async () => {
    server.answers(REFRESH, tokens());
    await client.refresh();
    await client.refresh();
    const keys = server.calls(REFRESH).map(({ cookies }) => retryKeyOf(cookies));
    expect(new Set(keys).size).toBe(2);
  });

  test("a server of another origin gets cookies, and the retry key by header: one for each token", async () => {
    const credentials: unknown[] = [];
    const environment = { ...page.environment, origin: "https://app.example.com" };
    const tab = newTab({
      environment,
      fetch: (input, init) => {
        credentials.push(init?.credentials);
        return page.fetch(input, init);
      },
    });
    const keys = () => server.calls(REFRESH).map(({ headers }) => headers["idempotency-key"]);
    server.answers(REFRESH, cut, json({ expires_in: 900, refresh_expires_in: 9_000, session_id: "s1" }));
    await expect(tab.refresh()).rejects.toThrow();
    for (const _ of [1, 2]) await tab.refresh();
    const [first, second, third] = keys();
    expect(first).toMatch(/^[0-9a-z]{32,}$/);
    expect([second === first, third === first, third?.length]).toEqual([true, false, first?.length]);
    expect(new Set(credentials)).toEqual(new Set(["include"]));

    await client.refresh();
    expect(keys().at(-1)).toBeUndefined();
  });

  test("two tabs share one retry key", async () => {
    server.answers(REFRESH, problem(503, "store_unavailable"));
    await expect(client.refresh()).rejects.toThrow();
    await expect(newTab().refresh()).rejects.toThrow();
    const keys = server.calls(REFRESH).map(({ cookies }) => cookies);
    expect(keys[0]).toContain(`${COOKIES.retry}=`);
    expect(keys[1]).toBe(keys[0]);
  });

  test("gives up an answer that never comes, and one that never ends, after 10 s", async () => {
    const trickle: Handler = (_, response) => {
      response.writeHead(200, { "content-type": "application/json" }).write("{");
    };
    const [asked, begun] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    client = newTab({
      fetch: async (input, init) => {
        const response = await page.fetch(input, init);
        // A turn later the client is at the body.
        if (`${input}`.endsWith("/refresh")) setImmediate(begun.resolve);
        return response;
      },
    });
    await signedIn();
    for (const [answer, waited] of [
      [() => asked.resolve(), asked],
      [trickle, begun],
    ] as const) {
      server.answers(REFRESH, answer);
      const refresh = client.refresh();
      await waited.promise;
      page.pass(10_000);
      await expect(refresh).rejects.toMatchObject({ name: "SessionClientError" });
      expect(client.state.status).toBe("signed-in");
    }
  });

  test("with a short leeway the limit is the leeway", async () => {
    const tab = newTab({ leewaySeconds: 3 });
    const arrived = new Promise<void>((resolve) => server.answers(REFRESH, () => resolve()));
    const refresh = tab.refresh();
    await arrived;
    page.pass(3_000);
    await expect(refresh).rejects.toMatchObject({ code: "network_error" });
  });
});

describe("the reason for an end", () => {
  test("is asked for once, however many requests are refused for it", async () => {
    await signedIn();
    server.answers(REFRESH, problem(401, "refresh_token_revoked"));
    const refusal = problem(401, "session_revoked");
    const answers: (() => void)[] = [];
    server.answers("GET /api/things", (request, response) => {
      answers.push(() => refusal(request, response));
    });
    const requests = [1, 2].map(() => client.fetch(`${server.origin}/api/things`));
    await expect.poll(() => answers.length).toBe(2);
    answers[0]?.();
    await Promise.race(requests);
    expect(client.state).toMatchObject({ status: "signed-out" });
    answers[1]?.();
    await Promise.all(requests);
    expect(server.calls(REFRESH)).toHaveLength(1);
  });

  test("stays when what was under way meanwhile finds the jar empty", async () => {
    await signedIn();
    server.answers(REFRESH, problem(401, "refresh_token_reused"), problem(401, "refresh_token_missing"));
    let answerSecond = () => {};
    const refusal = problem(401, "session_revoked");
    server.answers("GET /api/things", refusal, (request, response) => {
      answerSecond = () => refusal(request, response);
    });
    const first = client.fetch(`${server.origin}/api/things`);
    await expect.poll(() => server.calls("GET /api/things").length).toBe(1);
    const second = client.fetch(`${server.origin}/api/things`);
    await first;
    await expect.poll(() => server.calls("GET /api/things").length).toBe(2);
    const ended = client.state;
    expect(ended).toEqual({ status: "signed-out", reason: "refresh_token_reused" });
    answerSecond();
    await second;
    expect(server.calls(REFRESH)).toHaveLength(2);
    expect(client.state).toBe(ended);
  });
});

describe("an answer that is read late, as by a machine that fell asleep over it", () => {
  test("counts for what is left of it, and a 401 after it is cured", async () => {
    await signedIn();
    page.timersRun = false;
    let answer = () => {};
    server.answers(
      REFRESH,
      (request, response) => {
        answer = () => tokens()(request, response);
      },
      tokens(),
    );
    const refresh = client.refresh();
    await expect.poll(() => server.calls(REFRESH).length).toBe(1);
    page.pass(3_600_000);
    answer();
    await refresh;
    expect(client.timing()?.accessMs).toBe(0);
    server.answers("GET /api/things", problem(401, "access_token_expired"), json({ ok: true }));
    expect((await client.fetch(`${server.origin}/api/things`)).status).toBe(200);
    expect(client.timing()?.accessMs).toBe(900_000);
  });
});

describe("the question who is signed in", () => {
  test("is given up when no answer comes", async () => {
    await signedIn();
    server.answers(SESSION, () => {});
    const check = client.check();
    await expect.poll(() => server.calls(SESSION).length).toBe(2);
    page.pass(20_000);
    await expect(check).rejects.toMatchObject({ code: "network_error" });
    expect(client.state.status).toBe("signed-in");
  });

  test.each(["before", "after"])("answered %s a sign-in fails, is answered", async (when) => {
    const held = (call: string) => {
      const asked: ((handler: Handler) => void)[] = [];
      server.answers(call, (request, response) => void asked.push((handler) => handler(request, response)));
      return asked;
    };
    const [questions, signIns] = [held(SESSION), held("POST /api/auth/wallet")];
    server.answers("GET /api/auth/wallet", json({ transaction: "xdr", network_passphrase: "net" }));
    const check = client.check();
    await expect.poll(() => questions.length).toBe(1);
    const signIn = expect(client.signIn({ account: "G", sign: async () => "signed" })).rejects.toThrow();
    await expect.poll(() => signIns.length).toBe(1);
    const steps = [
      async () => {
        questions[0]?.(json({ actor_id: "G", session_id: "s1", expires_in: 900 }));
        await check;
      },
      async () => {
        signIns[0]?.(problem(401, "invalid_challenge"));
        await signIn;
      },
    ];
    for (const step of when === "before" ? steps : steps.reverse()) await step();
    expect(client.state).toEqual({ status: "signed-in", sessionId: "s1" });
  });

  test("is answered as often as it is asked where nobody is", async () => {
    server.answers(SESSION, problem(401, "access_token_missing"));
    server.answers(REFRESH, problem(401, "refresh_token_missing"));
    const signedOut = await client.check();
    expect(signedOut).toEqual({ status: "signed-out", reason: "refresh_token_missing" });
    expect(await client.check()).toBe(signedOut);
    server.answers(REFRESH, cut);
    await expect(client.check()).rejects.toThrow();
  });

  test("answered late, counts for what is left of it", async () => {
    let answer = () => {};
    server.answers(SESSION, (request, response) => {
      const session = json({ actor_id: "G", session_id: "s1", expires_in: 900 });
      answer = () => session(request, response);
    });
    page.timersRun = false;
    const check = client.check();
    await expect.poll(() => server.calls(SESSION).length).toBe(1);
    page.pass(800_000);
    answer();
    await check;
    expect(client.timing()?.accessMs).toBe(100_000);
    server.answers(REFRESH, tokens());
    await client.ensureFresh(200_000);
    expect(client.timing()?.accessMs).toBe(900_000);
  });
});

describe("the schedule", () => {
  test.each([
    [0, 540],
    [0.999, 719],
  ])("renews between 60 and 80 % of the lifetime (jitter %d)", async (jitter, dueSeconds) => {
    page.jitter = jitter;
    await signedIn();
    server.answers(REFRESH, tokens());
    page.pass(dueSeconds * 1_000 - 1_000);
    await page.settle();
    expect(server.calls(REFRESH)).toHaveLength(0);
    page.pass(2_000);
    await expect.poll(() => client.timing()?.accessMs).toBe(900_000);
    expect(server.calls(REFRESH)).toHaveLength(1);
  });

  test("a retry waits as long as the server asks", async () => {
    await signedIn();
    server.answers(REFRESH, problem(429, "rate_limited", { "retry-after": "120" }));
    await expect(client.refresh()).rejects.toThrow();
    expect(client.timing()?.renewalMs).toBe(120_000);
  });

  test.each([
    ["0", 1_000],
    ["", 1_000],
    ["86400", 300_000],
  ])("a server that asks for a wait of %j s causes no storm and leaves nobody alone", async (asked, ms) => {
    await signedIn();
    server.answers(REFRESH, problem(503, "store_unavailable", { "retry-after": asked }));
    await expect(client.refresh()).rejects.toThrow();
    expect(client.timing()?.renewalMs).toBe(ms);
  });

  test("a client that is stopped plans nothing any more, whatever was under way", async () => {
    await signedIn();
    const stop = client.start();
    let answer = () => {};
    server.answers(
      REFRESH,
      (request, response) => {
        answer = () => tokens()(request, response);
      },
      tokens(),
    );
    const refresh = client.refresh();
    await expect.poll(() => server.calls(REFRESH).length).toBe(1);
    stop();
    answer();
    await refresh;
    page.pass(800_000);
    await page.settle();
    expect(server.calls(REFRESH)).toHaveLength(1);
  });

  test("retries come further and further apart, up to a minute", async () => {
    page.jitter = 0.999_999;
    await signedIn();
    server.answers(REFRESH, cut);
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      await expect(client.refresh()).rejects.toThrow();
      waits.push(Math.round((client.timing()?.renewalMs ?? 0) / 1_000));
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  test("waking renews when it is due, and only then", async () => {
    page.timersRun = false;
    await signedIn();
    const stop = client.start();
    server.answers(REFRESH, tokens());
    page.wake();
    page.pass(800_000);
    expect(server.calls(REFRESH)).toHaveLength(0);
    page.wake();
    await expect.poll(() => server.calls(REFRESH).length).toBe(1);
    stop();
    page.pass(800_000);
    page.wake();
    await page.settle();
    expect(server.calls(REFRESH)).toHaveLength(1);
  });

  test("waking tries again at once what has failed, unless the server asked to wait", async () => {
    page.timersRun = false;
    await signedIn();
    const stop = client.start();
    server.answers(REFRESH, cut);
    await expect(client.refresh()).rejects.toThrow();
    server.answers(REFRESH, problem(503, "store_unavailable", { "retry-after": "30" }));
    page.wake();
    await expect.poll(() => client.timing()?.renewalMs).toBe(30_000);
    page.wake();
    expect(server.calls(REFRESH)).toHaveLength(2);
    server.answers(REFRESH, tokens());
    page.pass(30_000);
    page.wake();
    await expect.poll(() => client.timing()?.accessMs).toBe(900_000);
    stop();
  });

  test("is taken up again when the client is started anew", async () => {
    await signedIn();
    client.start()();
    server.answers(REFRESH, tokens());
    page.pass(800_000);
    const stop = client.start();
    expect(client.timing()?.renewalMs).toBe(70_000);
    page.pass(70_000);
    await expect.poll(() => client.timing()?.accessMs).toBe(900_000);
    stop();
  });
});
