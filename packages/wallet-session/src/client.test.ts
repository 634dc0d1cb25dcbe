import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cut, json, portal, problem, ScriptedServer, tokens } from "../test/scripted-server.ts";
import { TestPage } from "../test/test-page.ts";
import { createSessionClient, type SessionClient, SessionClientError } from "./client.ts";

const REFRESH = "POST /api/auth/refresh";
const SESSION = "GET /api/auth/session";
/** In the form of SEP-10, which the sign-in endpoint has. */
const REFUSED = problem(400, "signature_invalid", { "content-type": "application/json" });

let server: ScriptedServer;
let page: TestPage;
let client: SessionClient;

beforeEach(async () => {
  server = await new ScriptedServer().start();
  page = new TestPage();
  client = newTab();
});

afterEach(() => server.stop());

function newTab(): SessionClient {
  return createSessionClient({
    basePath: `${server.origin}/api/auth`,
    fetch: page.fetch,
    environment: page.environment,
  });
}

async function signedIn(sessionId = "s1", expiresIn = 900): Promise<void> {
  server.answers(SESSION, json({ actor_id: "G", session_id: sessionId, expires_in: expiresIn }));
  await client.check();
}

describe("who is signed in", () => {
  test("is unknown before anybody asked, and asking sends nothing by itself", () => {
    expect(client.state).toEqual({ status: "unknown" });
    expect(client.timing()).toBeNull();
    expect(server.calls()).toEqual([]);
  });

  test("a cold load whose access token has ended renews and never passes through signed-out", async () => {
    server.answers(
      SESSION,
      problem(401, "access_token_missing"),
      json({ session_id: "s1", expires_in: 900 }),
    );
    server.answers(REFRESH, tokens());
    const states: string[] = [];
    client.subscribe((state) => states.push(state.status));
    expect(await client.check()).toEqual({ status: "signed-in", sessionId: "s1" });
    expect(new Set(states)).toEqual(new Set(["signed-in"]));
    expect(server.calls().map(({ call }) => call)).toEqual([SESSION, REFRESH, SESSION]);
  });

  test("a visitor without a session is signed out, with the code", async () => {
    server.answers(SESSION, problem(401, "access_token_missing"));
    server.answers(REFRESH, problem(401, "refresh_token_missing"));
    expect(await client.check()).toEqual({ status: "signed-out", reason: "refresh_token_missing" });
  });

  test.each([
    ["a 503", problem(503, "store_unavailable")],
    [
      "a bad gateway's page",
      (_: IncomingMessage, response: ServerResponse) => void response.writeHead(502).end("x"),
    ],
    ["a portal's 401", portal],
    ["a cut connection", cut],
    ["a 200 of another shape", json({ hello: "world" })],
  ])("%s decides nothing", async (_, answer) => {
    server.answers(SESSION, answer);
    await expect(client.check()).rejects.toBeInstanceOf(SessionClientError);
    expect(client.state).toEqual({ status: "unknown" });
  });

  test("is asked again until somebody answers: after a pause, and at once on waking", async () => {
    client.start();
    server.answers(SESSION, cut, cut, problem(401, "access_token_missing"));
    server.answers(REFRESH, cut, tokens());
    await expect(client.check()).rejects.toBeInstanceOf(SessionClientError);
    page.pass(1_000);
    await expect.poll(() => server.calls(SESSION).length).toBe(2);
    await page.settle();
    page.wake();
    await expect.poll(() => server.calls(REFRESH).length).toBe(1);
    await page.settle();
    page.pass(4_000);
    await expect.poll(() => client.state).toEqual({ status: "signed-in", sessionId: "s1" });
    expect(client.timing()?.renewalMs).toBeGreaterThan(500_000);
  });

  test("is not asked again sooner than the server says, nor where it is known", async () => {
    client.start();
    const busy = problem(503, "store_unavailable", { "retry-after": "60" });
    server.answers(SESSION, busy, problem(401, "access_token_missing"), busy);
    server.answers(REFRESH, problem(401, "refresh_token_missing"));
    await expect(client.check()).rejects.toBeInstanceOf(SessionClientError);
    page.wake();
    page.pass(59_999);
    await page.settle();
    expect(server.calls()).toHaveLength(1);
    page.pass(1);
    await expect.poll(() => client.state.status).toBe("signed-out");
    await expect(client.check()).rejects.toBeInstanceOf(SessionClientError);
    page.pass(3_600_000);
    await page.settle();
    expect(server.calls(REFRESH)).toHaveLength(1);
  });
});

describe("fetch", () => {
  const API = "POST /api/things";
  const call = (body: BodyInit = "{}") =>
    client.fetch(`${server.origin}/api/things`, { method: "POST", body });
  beforeEach(() => signedIn());

  test.each(["access_token_missing", "access_token_invalid", "access_token_expired"])(
    "%s renews and sends the request once more",
    async (code) => {
      server.answers(API, problem(401, code), json({ ok: true }));
      server.answers(REFRESH, tokens());
      expect((await call("body")).status).toBe(200);
      expect(server.calls(API).map(({ body }) => body)).toEqual(["body", "body"]);
    },
  );

  test("a Request is sent once more with its body", async () => {
    server.answers(API, problem(401, "access_token_expired"), json({ ok: true }));
    server.answers(REFRESH, tokens());
    const request = new Request(`${server.origin}/api/things`, { method: "POST", body: "kept" });
    expect((await client.fetch(request)).status).toBe(200);
    expect(server.calls(API).map(({ body }) => body)).toEqual(["kept", "kept"]);
  });

  test("requests refused together share one refresh", async () => {
    server.answers(API, problem(401, "access_token_expired"), problem(401, "access_token_expired"), json({}));
    server.answers(REFRESH, tokens());
    const both = await Promise.all([call(), call()]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect(server.calls(REFRESH)).toHaveLength(1);
  });

  test("a 401 to a request older than the last renewal needs no other one", async () => {
    let release = () => {};
    server.answers(
      API,
      (request, response) => {
        release = () => problem(401, "access_token_expired")(request, response);
      },
      json({ ok: true }),
    );
    server.answers(REFRESH, tokens());
    const slow = call();
    await expect.poll(() => server.calls(API).length).toBe(1);
    await client.refresh();
    release();
    expect((await slow).status).toBe(200);
    expect(server.calls(REFRESH)).toHaveLength(1);
  });

  test("is not sent a third time, and a token that is new is not renewed again", async () => {
    server.answers(API, problem(401, "access_token_invalid"));
    server.answers(REFRESH, tokens());
    expect((await call()).status).toBe(401);
    page.pass(1);
    const second = await call();
    expect(second.status).toBe(401);
    expect(await second.json()).toMatchObject({ code: "access_token_invalid" });
    expect(server.calls(API)).toHaveLength(3);
    expect(server.calls(REFRESH)).toHaveLength(1);
  });

  test.each([
    ["another 401", problem(401, "signature_invalid")],
    ["a 401 that is not ours", portal],
    ["another service's 401", json({ code: "access_token_expired", status: 401 }, {}, 401)],
    ["a 403", problem(403, "access_token_expired")],
  ])("%s is handed on as it is", async (_, answer) => {
    server.answers(API, answer);
    expect((await call()).status).toBeGreaterThan(400);
    expect(server.calls(REFRESH)).toHaveLength(0);
  });

  test("where the renewal fails, the first answer is handed on and nobody is signed out", async () => {
    server.answers(API, problem(401, "access_token_expired"));
    server.answers(REFRESH, problem(503, "store_unavailable"));
    const response = await call();
    expect(await response.json()).toMatchObject({ code: "access_token_expired" });
    expect(client.state.status).toBe("signed-in");
  });

  test("a stream is sent only once", async () => {
    server.answers(API, problem(401, "access_token_expired"));
    server.answers(REFRESH, tokens());
    const body = new Blob(["once"]).stream();
    const init = { method: "POST", body, duplex: "half" } as RequestInit;
    expect((await client.fetch(`${server.origin}/api/things`, init)).status).toBe(401);
    expect(server.calls(API)).toHaveLength(1);
  });

  test("session_revoked is confirmed by the refresh endpoint", async () => {
    server.answers(API, problem(401, "session_revoked"));
    server.answers(REFRESH, problem(401, "refresh_token_revoked"));
    expect((await call()).status).toBe(401);
    expect(client.state).toEqual({ status: "signed-out", reason: "refresh_token_revoked" });
  });

  test("what was asked as one session is not repeated as another", async () => {
    server.answers(API, problem(401, "session_revoked"), json({ ok: true }));
    server.answers(REFRESH, tokens("signed in anew in another tab"));
    expect((await call()).status).toBe(401);
    expect(server.calls(API)).toHaveLength(1);
    expect(client.state).toEqual({ status: "signed-in", sessionId: "signed in anew in another tab" });
  });
});

describe("fresh enough", () => {
  beforeEach(() => signedIn());

  test("a token that is good for long enough is left alone", async () => {
    expect(await client.ensureFresh(900_000)).toEqual({ status: "signed-in", sessionId: "s1" });
    expect(server.calls(REFRESH)).toHaveLength(0);
  });

  test("one that is not is renewed first, once for all who ask", async () => {
    page.pass(1_000);
    server.answers(REFRESH, tokens());
    await Promise.all([client.ensureFresh(900_000), client.ensureFresh(900_000)]);
    expect(client.timing()?.accessMs).toBe(900_000);
    expect(server.calls(REFRESH)).toHaveLength(1);
  });

  test("a jar younger than two leeways is not renewed in vain", async () => {
    server.answers(REFRESH, tokens());
    await client.refresh();
    page.pass(59_999);
    await client.ensureFresh(900_000);
    expect(server.calls(REFRESH)).toHaveLength(1);
    page.pass(1);
    await client.ensureFresh(900_000);
    expect(server.calls(REFRESH)).toHaveLength(2);
  });

  test("where the server decides nothing it says so, and nobody is signed out", async () => {
    page.pass(800_000);
    server.answers(REFRESH, problem(503, "store_unavailable"));
    await expect(client.ensureFresh(300_000)).rejects.toMatchObject({ code: "store_unavailable" });
    expect(client.state.status).toBe("signed-in");
  });

  test("a page that knows nothing yet finds out; one that is signed out sends nothing", async () => {
    const visitor = newTab();
    server.answers(REFRESH, problem(401, "refresh_token_missing"));
    expect((await visitor.ensureFresh(1_000)).status).toBe("signed-out");
    expect((await visitor.ensureFresh(1_000)).status).toBe("signed-out");
    expect(server.calls(REFRESH)).toHaveLength(1);
  });
});

describe("a feed's word that the session has ended", () => {
  beforeEach(() => signedIn());

  test.each([
    ["refresh_token_reused", "refresh_token_revoked", "refresh_token_reused"],
    ["session_revoked", "refresh_token_reused", "refresh_token_reused"],
    ["session_revoked", "refresh_token_missing", "session_revoked"],
    ["access_token_expired", "refresh_token_expired", "refresh_token_expired"],
    ["a code of the future", "refresh_token_revoked", "refresh_token_revoked"],
  ])("%s, confirmed as %s, is shown as %s", async (told, confirmed, shown) => {
    server.answers(REFRESH, problem(401, confirmed));
    expect(await client.endedElsewhere(told)).toEqual({ status: "signed-out", reason: shown });
  });

  test("is not taken where the server says that the session lives, nor remembered", async () => {
    server.answers(REFRESH, tokens(), problem(401, "refresh_token_expired"));
    expect((await client.endedElsewhere("refresh_token_reused")).status).toBe("signed-in");
    expect(await client.refresh()).toEqual({ status: "signed-out", reason: "refresh_token_expired" });
  });

  test.each([
    ["a fault", problem(503, "store_unavailable")],
    ["silence", cut],
    ["a portal's page", portal],
  ])("is not taken on %s, but is the reason once it is confirmed", async (_, answer) => {
    server.answers(REFRESH, answer);
    await expect(client.endedElsewhere("refresh_token_reused")).rejects.toBeInstanceOf(SessionClientError);
    expect(client.state.status).toBe("signed-in");
    server.answers(REFRESH, problem(401, "refresh_token_revoked"));
    page.pass(2_000);
    await expect.poll(() => client.state).toEqual({ status: "signed-out", reason: "refresh_token_reused" });
  });

  test("is asked about anew where a renewal was already under way", async () => {
    let answer = () => {};
    server.answers(
      REFRESH,
      (request, response) => {
        answer = () => tokens()(request, response);
      },
      problem(401, "refresh_token_revoked"),
    );
    const renewal = client.refresh();
    await expect.poll(() => server.calls(REFRESH).length).toBe(1);
    const ended = client.endedElsewhere("session_revoked");
    answer();
    await renewal;
    expect((await ended).status).toBe("signed-out");
  });

  test("says nothing about a session that has begun since", async () => {
    server.answers(REFRESH, tokens("s2"), problem(401, "refresh_token_revoked"));
    expect(await client.endedElsewhere("refresh_token_reused")).toEqual({
      status: "signed-in",
      sessionId: "s2",
    });
    expect(await client.refresh()).toEqual({ status: "signed-out", reason: "refresh_token_revoked" });
  });

  test("comes to nothing where nobody is signed in", async () => {
    const visitor = newTab();
    expect(await visitor.endedElsewhere("session_revoked")).toEqual({ status: "unknown" });
    expect(server.calls(REFRESH)).toHaveLength(0);
  });
});

describe("signing in and out", () => {
  const CHALLENGE = "GET /api/auth/wallet";
  const SIGN_IN = "POST /api/auth/wallet";
  const signIn = () =>
    client.signIn({ account: "GABC", sign: async ({ transaction }) => `${transaction}+signature` });

  beforeEach(() => {
    server.answers(CHALLENGE, json({ transaction: "xdr", network_passphrase: "net" }));
  });

  test("challenge, signature, session", async () => {
    server.answers(SIGN_IN, tokens("s1"));
    expect(await signIn()).toEqual({ status: "signed-in", sessionId: "s1" });
    expect(server.calls(SIGN_IN)[0]).toMatchObject({ body: '{"transaction":"xdr+signature"}' });
    expect(server.calls(SIGN_IN)[0]?.headers["session-transport"]).toBe("cookie");
    expect(client.timing()?.accessMs).toBe(900_000);
  });

  test("the wallet's own error comes out unchanged", async () => {
    const declined = new Error("declined");
    const attempt = client.signIn({ account: "GABC", sign: () => Promise.reject(declined) });
    await expect(attempt).rejects.toBe(declined);
    expect(client.state).toEqual({ status: "unknown" });
  });

  test("a refusal has the server's code, and the session from before goes on", async () => {
    await signedIn();
    server.answers(SIGN_IN, REFUSED);
    await expect(signIn()).rejects.toMatchObject({ code: "signature_invalid", status: 400 });
    expect(client.state).toEqual({ status: "signed-in", sessionId: "s1" });
    expect(client.timing()?.renewalMs).toBe(630_000);
  });

  test("after a refusal, a refresh that was aborted for it is done after all", async () => {
    await signedIn("s1", 100);
    server.answers(REFRESH, () => {}, tokens());
    server.answers(SIGN_IN, REFUSED);
    const aborted = client.refresh();
    await expect.poll(() => server.calls(REFRESH).length).toBe(1);
    await expect(signIn()).rejects.toThrow();
    expect(await aborted).toEqual({ status: "signed-in", sessionId: "s1" });
    expect(client.timing()?.accessMs).toBe(900_000);
  });

  test("what asks for a good token beside a sign-in that is refused gets one all the same", async () => {
    await signedIn("s1", 10);
    let refuse = () => {};
    server.answers(SIGN_IN, (request, response) => {
      refuse = () => REFUSED(request, response);
    });
    server.answers(REFRESH, tokens());
    const attempt = signIn();
    await expect.poll(() => server.calls(SIGN_IN).length).toBe(1);
    const fresh = client.ensureFresh(60_000);
    refuse();
    await expect(attempt).rejects.toThrow();
    await fresh;
    expect(client.timing()?.accessMs).toBe(900_000);
  });

  test("a portal's 200 is no sign-out", async () => {
    await signedIn();
    server.answers("POST /api/auth/logout", (_, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<h1>Welcome to the hotel</h1>");
    });
    await expect(client.signOut()).rejects.toMatchObject({ code: "unexpected_response" });
    expect(client.state).toEqual({ status: "signed-in", sessionId: "s1" });
  });

  test("a refresh under way is aborted first, and its late answer changes nothing", async () => {
    await signedIn("old");
    server.answers(REFRESH, () => {});
    server.answers(SIGN_IN, tokens("new"));
    const late = client.refresh();
    await expect.poll(() => server.calls(REFRESH).length).toBe(1);
    await signIn();
    expect(await late).toEqual({ status: "signed-in", sessionId: "new" });
    expect(client.state).toEqual({ status: "signed-in", sessionId: "new" });
  });

  test("a refresh asked for beside a sign-in waits and sends nothing", async () => {
    let release = () => {};
    server.answers(SIGN_IN, (request, response) => {
      release = () => tokens("new")(request, response);
    });
    const signing = signIn();
    await expect.poll(() => server.calls(SIGN_IN).length).toBe(1);
    const refresh = client.refresh();
    release();
    await signing;
    expect(await refresh).toEqual({ status: "signed-in", sessionId: "new" });
    expect(server.calls(REFRESH)).toHaveLength(0);
  });

  test("a check that was under way before the sign-in changes nothing", async () => {
    let release = () => {};
    server.answers(SESSION, (request, response) => {
      release = () => json({ session_id: "old", expires_in: 5 })(request, response);
    });
    const check = client.check();
    await expect.poll(() => server.calls(SESSION).length).toBe(1);
    server.answers(SIGN_IN, tokens("new"));
    await signIn();
    release();
    expect(await check).toEqual({ status: "signed-in", sessionId: "new" });
  });

  test("signing out ends it; where the server cannot be told, it does not", async () => {
    await signedIn();
    server.answers("POST /api/auth/logout", cut);
    await expect(client.signOut()).rejects.toMatchObject({ code: "network_error" });
    expect(client.state.status).toBe("signed-in");
    server.answers("POST /api/auth/logout", (_, response) => void response.writeHead(204).end());
    expect(await client.signOut()).toEqual({ status: "signed-out", reason: "signed_out" });
    expect(client.timing()).toBeNull();
  });

  test("subscribers hear of it until they leave", async () => {
    const heard: string[] = [];
    const leave = client.subscribe((state) => heard.push(state.status));
    await signedIn();
    leave();
    await signedIn();
    expect(heard).toEqual(["signed-in"]);
  });
});
