// What the client does for a session that its browser binds to a device key: docs/clients.md, "Bound sessions".
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { cut, type Handler, json, problem, ScriptedServer, tokens } from "../../test/scripted-server.ts";
import { TestPage } from "../../test/test-page.ts";
import { createSessionClient, type SessionClient } from "../client.ts";
import { cookieNames } from "../cookie-names.ts";

const COOKIES = cookieNames("ws");
const REFRESH = "POST /api/auth/refresh";
const SESSION = "GET /api/auth/session";
const THINGS = "GET /api/things";
const OFFER = '(ES256);path="/api/auth/device/register";challenge="c"';
const SIGNED_IN = { status: "signed-in", sessionId: "s1" };

let server: ScriptedServer;
let page: TestPage;
let client: SessionClient;

beforeEach(async () => {
  server = await new ScriptedServer().start();
  page = new TestPage();
  client = newTab();
  server.answers("GET /api/auth/wallet", json({ transaction: "xdr", network_passphrase: "net" }));
});

afterEach(() => server.stop());

function newTab(origin?: string): SessionClient {
  return createSessionClient({
    basePath: `${server.origin}/api/auth`,
    fetch: page.fetch,
    environment: { ...page.environment, origin },
  });
}

const session = (binding: "device" | null, expiresIn = 900) =>
  json({ session_id: "s1", expires_in: expiresIn, binding });

/** New tokens, and the browser is asked to bind their session. */
const offering = (): Handler => (request, response) => {
  response.setHeader("secure-session-registration", OFFER);
  tokens()(request, response);
};

async function signIn(answer: Handler): Promise<void> {
  server.answers("POST /api/auth/wallet", answer);
  await client.signIn({ account: "G", sign: async () => "signed" });
}

const calls = () => server.calls().flatMap(({ call }) => (call.includes("wallet") ? [] : [call]));

async function bound(expiresIn = 900): Promise<void> {
  server.answers(SESSION, session("device", expiresIn));
  await client.check();
}

describe("a browser that is asked to bind its session", () => {
  test("and has not is asked once before the refresh of each offer", async () => {
    await signIn(offering());
    server.answers(SESSION, session(null));
    server.answers(REFRESH, offering(), tokens());
    page.pass(800_000);
    await expect.poll(calls).toEqual([SESSION, REFRESH]);
    await expect.poll(() => client.timing()?.renewalMs).toBe(630_000);
    page.pass(800_000);
    await expect.poll(calls).toEqual([SESSION, REFRESH, SESSION, REFRESH]);
  });

  test("and has is left to renew from then on", async () => {
    await signIn(offering());
    server.answers(SESSION, session("device"));
    page.pass(800_000);
    await expect.poll(() => client.timing()?.accessMs).toBe(900_000);
    await client.refresh();
    expect(calls()).toEqual([SESSION, SESSION]);
  });

  test("is asked after an answer without the offer as well: one that left the jar as it was has none", async () => {
    await signIn(offering());
    server.answers(SESSION, session(null), session("device"));
    server.answers(REFRESH, tokens());
    await client.refresh();
    await client.refresh();
    expect(calls()).toEqual([SESSION, REFRESH, SESSION]);
  });

  test("and does so under this very question is asked again", async () => {
    await signIn(offering());
    const renewing: Handler = (request, response) => {
      response.setHeader("set-cookie", `${COOKIES.retry}=; Path=/; Max-Age=0`);
      session(null)(request, response);
    };
    server.answers(SESSION, renewing, session("device"));
    await client.refresh();
    expect(calls()).toEqual([SESSION, SESSION]);
  });

  test("by nobody is asked nothing", async () => {
    await signIn(tokens());
    server.answers(REFRESH, tokens());
    page.pass(800_000);
    await expect.poll(() => client.timing()?.accessMs).toBe(900_000);
    expect(calls()).toEqual([REFRESH]);
  });

  test("by an answer that another tab had is asked by this one, too", async () => {
    const other = newTab();
    for (const stop of [client.start(), other.start()]) onTestFinished(stop);
    server.answers(SESSION, session(null));
    await signIn(offering());
    // A tab that hears of a sign-in asks whose session it is.
    await expect.poll(calls).toEqual([SESSION]);
    await expect.poll(() => other.state).toEqual(SIGNED_IN);
    server.answers(SESSION, session("device"));
    await other.refresh();
    expect(calls()).toEqual([SESSION, SESSION]);
  });

  test("by a server of another origin, which does not show that, is asked each time", async () => {
    client = newTab("https://app.example.com");
    await signIn(tokens());
    server.answers(SESSION, session(null), session("device"));
    server.answers(REFRESH, tokens());
    await client.refresh();
    await client.refresh();
    await client.refresh();
    expect(calls()).toEqual([SESSION, REFRESH, SESSION, SESSION]);
  });

  test("without a token is refreshed at once: it would have held what was refused", async () => {
    await signIn(offering());
    server.answers(THINGS, problem(401, "access_token_missing"), json({ ok: true }));
    server.answers(REFRESH, tokens());
    expect((await client.fetch(`${server.origin}/api/things`)).status).toBe(200);
    expect(calls()).toEqual([THINGS, REFRESH, THINGS]);
  });
});

describe("a bound session", () => {
  test.each([
    [0, 804],
    [0.999, 851],
  ])("is asked about in the last two minutes of its token (jitter %d)", async (jitter, dueSeconds) => {
    page.jitter = jitter;
    await bound();
    page.pass(dueSeconds * 1_000 - 1_000);
    await page.settle();
    expect(server.calls(SESSION)).toHaveLength(1);
    page.pass(2_000);
    await expect.poll(() => client.timing()?.accessMs).toBe(900_000);
    expect(calls()).toEqual([SESSION, SESSION]);
  });

  test("that is renewed beside the question is asked about again before the token ends", async () => {
    await bound();
    server.answers(SESSION, session("device", 72), session("device"));
    page.pass(830_000);
    await expect.poll(() => client.timing()?.accessMs).toBe(72_000);
    page.pass(72_000);
    await expect.poll(() => client.timing()?.accessMs).toBe(900_000);
    expect(new Set(calls())).toEqual(new Set([SESSION]));
  });

  test("cures a 401 by the same question", async () => {
    await bound();
    server.answers(THINGS, problem(401, "access_token_expired"), json({ ok: true }));
    expect((await client.fetch(`${server.origin}/api/things`)).status).toBe(200);
    expect(calls()).toEqual([SESSION, THINGS, SESSION, THINGS]);
  });

  test.each([
    ["access_token_missing", problem(401, "access_token_missing")],
    ["store_unavailable", problem(503, "store_unavailable")],
    ["network_error", cut],
  ])("whose browser could not renew is still there, and asked about again (%s)", async (code, answer) => {
    await bound();
    await client.refresh();
    server.answers(SESSION, answer);
    page.pass(900_000);
    await expect.poll(() => server.calls(SESSION).length).toBe(3);
    await expect(client.refresh()).rejects.toMatchObject({ code });
    expect(client.state).toEqual(SIGNED_IN);
    server.answers(SESSION, session("device"));
    page.pass(4_000);
    await expect.poll(() => client.timing()?.accessMs).toBe(900_000);
    expect(server.calls(REFRESH)).toEqual([]);
  });

  test("that has been ended is found out with the reason", async () => {
    await bound();
    server.answers(SESSION, problem(401, "session_revoked"));
    server.answers(REFRESH, problem(401, "refresh_token_reused"));
    expect(await client.refresh()).toEqual({ status: "signed-out", reason: "refresh_token_reused" });
  });

  test("whose jar was emptied by the answer to its browser is over", async () => {
    await bound();
    await client.refresh();
    page.deleteCookie(COOKIES.retry);
    server.answers(SESSION, problem(401, "access_token_missing"));
    server.answers(REFRESH, problem(401, "refresh_token_missing"));
    expect(await client.refresh()).toEqual({ status: "signed-out", reason: "refresh_token_missing" });
  });

  test("that this tab did not know of is looked at again, and nobody is signed out", async () => {
    await signIn(tokens());
    server.answers(REFRESH, problem(401, "proof_missing"));
    await expect(client.refresh()).rejects.toMatchObject({ code: "proof_missing" });
    expect(client.state).toEqual(SIGNED_IN);
    server.answers(SESSION, session("device"));
    page.pass(1_000);
    await expect.poll(() => server.calls(SESSION).length).toBe(1);
    await client.refresh();
    expect(server.calls(REFRESH)).toHaveLength(1);
  });

  test("gives way to a sign-in that is offered nothing", async () => {
    await bound();
    await signIn(tokens("s2"));
    server.answers(REFRESH, tokens("s2"));
    await client.refresh();
    expect(calls()).toEqual([SESSION, REFRESH]);
  });
});
