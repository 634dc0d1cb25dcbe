import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cut, json, problem, ScriptedServer, tokens } from "../../test/scripted-server.ts";
import { TestPage } from "../../test/test-page.ts";
import { createSessionClient, type SessionClient, type SessionClientOptions } from "../client.ts";

const REFRESH = "POST /api/auth/refresh";
const SESSION = "GET /api/auth/session";
const CHALLENGE = "GET /api/auth/wallet";
const SIGN_IN = "POST /api/auth/wallet";
const SIGN_OUT = "POST /api/auth/logout";

const session = (sessionId: string) => json({ actor_id: "G", session_id: sessionId, expires_in: 900 });
const signedIn = (sessionId: string) => ({ status: "signed-in", sessionId });

let server: ScriptedServer;
let page: TestPage;
const stops: (() => void)[] = [];

beforeEach(async () => {
  server = await new ScriptedServer().start();
  page = new TestPage();
  server.answers(CHALLENGE, json({ transaction: "xdr", network_passphrase: "net" }));
  server.answers(SESSION, session("A"));
});

afterEach(async () => {
  for (const stop of stops.splice(0)) stop();
  await server.stop();
});

/** A tab of the browser that hears the others; it knows nothing yet. */
function openTab(options: SessionClientOptions = {}): SessionClient {
  const tab = createSessionClient({
    basePath: `${server.origin}/api/auth`,
    fetch: page.fetch,
    environment: page.environment,
    ...options,
  });
  stops.push(tab.start());
  return tab;
}

async function tabsSignedIn(count: number): Promise<SessionClient[]> {
  const tabs = Array.from({ length: count }, () => openTab());
  for (const tab of tabs) await tab.check();
  return tabs;
}

const signIn = (tab: SessionClient) => tab.signIn({ account: "G", sign: async () => "signed" });

/** Says something on the tabs' channel, as a tab with another version of the page might. */
function say(message: unknown): void {
  const channel = page.environment.openChannel(`wallet-session ${server.origin}/api/auth`, () => {});
  channel?.postMessage(message);
  stops.push(() => channel?.close());
}

describe("a renewal in one tab", () => {
  test("is one in all: each waits for the next one, and none renews by itself", async () => {
    const [first, ...others] = await tabsSignedIn(4);
    page.pass(500_000);
    server.answers(REFRESH, tokens("A"));
    await first?.refresh();
    for (const tab of others) await expect.poll(() => tab.timing()?.accessMs).toBe(900_000);
    // When they would have renewed for the earlier token.
    page.pass(300_000);
    await page.settle();
    expect(server.calls(REFRESH)).toHaveLength(1);
  });

  test("that this one was waiting for, to do the same, need not be done again", async () => {
    const [first, second] = await tabsSignedIn(2);
    page.pass(500_000);
    let answer = () => {};
    server.answers(REFRESH, (request, response) => {
      answer = () => tokens("A")(request, response);
    });
    const renewals = [first?.refresh(), second?.refresh()];
    await expect.poll(() => server.calls(REFRESH).length).toBe(1);
    say({ type: "renewed", sessionId: "A", expiresInSeconds: 900, at: page.environment.wallNow() });
    await expect.poll(() => second?.timing()?.accessMs).toBe(900_000);
    answer();
    expect(await Promise.all(renewals)).toEqual([signedIn("A"), signedIn("A")]);
    expect(server.calls(REFRESH)).toHaveLength(1);
  });

  test("cures a 401 to what another tab sent before", async () => {
    const [first, second] = await tabsSignedIn(2);
    let refuse = () => {};
    server.answers(
      "GET /api/things",
      (request, response) => {
        refuse = () => problem(401, "access_token_expired")(request, response);
      },
      json({ ok: true }),
    );
    server.answers(REFRESH, tokens("A"));
    const slow = second?.fetch(`${server.origin}/api/things`);
    await expect.poll(() => server.calls("GET /api/things").length).toBe(1);
    page.pass(1);
    await first?.refresh();
    await expect.poll(() => second?.timing()?.accessMs).toBe(900_000);
    refuse();
    expect((await slow)?.status).toBe(200);
    expect(server.calls(REFRESH)).toHaveLength(1);
  });

  test("heard late, by a tab that was frozen, counts for what is left of it", async () => {
    const [tab] = await tabsSignedIn(1);
    page.pass(500_000);
    say({ type: "renewed", sessionId: "A", expiresInSeconds: 900, at: page.environment.wallNow() - 100_000 });
    await expect.poll(() => tab?.timing()?.accessMs).toBe(800_000);
    say({ type: "renewed", sessionId: "A", expiresInSeconds: 900, at: page.environment.wallNow() - 400_000 });
    say({ type: "renewed", sessionId: "A", expiresInSeconds: 900, at: page.environment.wallNow() - 50_000 });
    await expect.poll(() => tab?.timing()?.accessMs).toBe(850_000);
  });

  test("of a session that this tab does not know is put to the server", async () => {
    const [tab] = await tabsSignedIn(1);
    server.answers(SESSION, session("B"));
    say({ type: "renewed", sessionId: "C", expiresInSeconds: 900, at: page.environment.wallNow() });
    await expect.poll(() => tab?.state).toEqual(signedIn("B"));
  });

  test("tells a tab that has not asked yet who is signed in", async () => {
    const [first] = await tabsSignedIn(1);
    const fresh = openTab();
    server.answers(REFRESH, tokens("A"));
    await first?.refresh();
    await expect.poll(() => fresh.state).toEqual(signedIn("A"));
  });
});

describe("a sign-in in one tab", () => {
  test("is seen by the others before they ask, in place of the account they showed", async () => {
    const [first, second] = await tabsSignedIn(2);
    const unknown = openTab();
    server.answers(SIGN_IN, tokens("B"));
    server.answers(SESSION, cut);
    if (first !== undefined) await signIn(first);
    await expect.poll(() => second?.state).toEqual(signedIn("B"));
    await expect.poll(() => unknown.state).toEqual(signedIn("B"));
  });

  test("is put to the server, so that tabs that sign in at once come to agree with the jar", async () => {
    const [tab] = await tabsSignedIn(1);
    server.answers(SESSION, session("C"));
    say({ type: "signed-in", sessionId: "B", expiresInSeconds: 900, at: page.environment.wallNow() });
    await expect.poll(() => tab?.state).toEqual(signedIn("C"));
  });

  test("calls off what another tab renews of the session before, and its late answer changes nothing", async () => {
    const withoutLocks = { environment: { ...page.environment, locks: undefined } };
    const [first, second] = [openTab(withoutLocks), openTab(withoutLocks)];
    await first.check();
    await second.check();
    const late: ServerResponse[] = [];
    server.answers(REFRESH, (_, response) => void late.push(response));
    const renewal = second.refresh();
    await expect.poll(() => late.length).toBe(1);
    server.answers(SIGN_IN, tokens("B"));
    server.answers(SESSION, session("B"));
    await signIn(first);
    expect(await renewal).toEqual(signedIn("B"));
    await expect.poll(() => late[0]?.destroyed).toBe(true);
    expect(second.state).toEqual(signedIn("B"));
  });

  test("ends the session before, and a sign-out of that one, answered earlier and read later, does not end the new one", async () => {
    const withoutLocks = { environment: { ...page.environment, locks: undefined } };
    const [first, second] = [openTab(withoutLocks), openTab(withoutLocks)];
    await first.check();
    await second.check();
    let answer = () => {};
    server.answers(SIGN_OUT, (_, response) => {
      answer = () => void response.writeHead(204).end();
    });
    const signOut = second.signOut();
    await expect.poll(() => server.calls(SIGN_OUT).length).toBe(1);
    server.answers(SIGN_IN, tokens("B"));
    server.answers(SESSION, session("B"));
    server.answers(REFRESH, tokens("B"));
    await signIn(first);
    await expect.poll(() => second.state).toEqual(signedIn("B"));
    answer();
    expect(await signOut).toEqual(signedIn("B"));
    // Whose jar it is by now, only the server knows.
    page.pass(0);
    await expect.poll(() => server.calls(REFRESH).length).toBe(1);
    await page.settle();
    expect([first.state, second.state]).toEqual([signedIn("B"), signedIn("B")]);
  });

  test("also reaches a tab that had signed out", async () => {
    const [first, second] = await tabsSignedIn(2);
    server.answers(SIGN_OUT, (_, response) => void response.writeHead(204).end());
    await second?.signOut();
    await expect.poll(() => first?.state.status).toBe("signed-out");
    server.answers(SIGN_IN, tokens("B"));
    server.answers(SESSION, session("B"));
    if (first !== undefined) await signIn(first);
    await expect.poll(() => second?.state).toEqual(signedIn("B"));
  });
});

describe("an end in one tab", () => {
  test("signing out signs the others out, and nothing is sent any more", async () => {
    const [first, second] = await tabsSignedIn(2);
    server.answers(SIGN_OUT, (_, response) => void response.writeHead(204).end());
    await first?.signOut();
    await expect.poll(() => second?.state).toEqual({ status: "signed-out", reason: "signed_out" });
    page.pass(24 * 3_600_000);
    await page.settle();
    expect(server.calls(REFRESH)).toEqual([]);
  });

  test("the server's word reaches the others with its reason", async () => {
    const [first, second] = await tabsSignedIn(2);
    server.answers(REFRESH, problem(401, "refresh_token_reused"));
    await first?.refresh();
    await expect.poll(() => second?.state).toEqual({ status: "signed-out", reason: "refresh_token_reused" });
    expect(server.calls(REFRESH)).toHaveLength(1);
  });

  test("that this tab has met as an empty jar is shown with the reason that another tab was given", async () => {
    const [tab] = await tabsSignedIn(1);
    server.answers(REFRESH, problem(401, "refresh_token_missing"));
    await tab?.refresh();
    say({ type: "ended", sessionId: "A", reason: "refresh_token_reused" });
    const reused = { status: "signed-out", reason: "refresh_token_reused" };
    await expect.poll(() => tab?.state).toEqual(reused);
    say({ type: "ended", sessionId: "A", reason: "refresh_token_missing" });
    say({ type: "ended", sessionId: "B", reason: "refresh_token_reused" });
    await page.settle();
    expect(tab?.state).toEqual(reused);
  });

  test.each([
    ["of another session", { type: "ended", sessionId: "B", reason: "refresh_token_revoked" }],
    ["for no known reason", { type: "ended", sessionId: "A", reason: "because" }],
    ["without a session", { type: "ended", reason: "signed_out" }],
    ["and a renewal of no length", { type: "renewed", sessionId: "A", at: 0 }],
    ["that is no message of ours", "ended"],
    ["that is nothing", null],
  ])("news %s signs nobody out", async (_, message) => {
    const [tab] = await tabsSignedIn(1);
    say(message);
    page.pass(500_000);
    say({ type: "renewed", sessionId: "A", expiresInSeconds: 900, at: page.environment.wallNow() });
    await expect.poll(() => tab?.timing()?.accessMs).toBe(900_000);
    expect(tab?.state).toEqual(signedIn("A"));
  });
});

test("where the browser has no channel, each tab does by itself", async () => {
  const tab = openTab({ environment: { ...page.environment, openChannel: () => undefined } });
  await tab.check();
  server.answers(REFRESH, tokens("A"));
  expect(await tab.refresh()).toEqual(signedIn("A"));
});

test("a tab that has stopped neither hears nor tells", async () => {
  const tab = createSessionClient({
    basePath: `${server.origin}/api/auth`,
    fetch: page.fetch,
    environment: page.environment,
  });
  const stop = tab.start();
  await tab.check();
  stop();
  const [other] = await tabsSignedIn(1);
  page.pass(1_000);
  server.answers(REFRESH, tokens("A"));
  await other?.refresh();
  const third = openTab();
  await other?.refresh();
  await expect.poll(() => third.state).toEqual(signedIn("A"));
  expect(tab.timing()?.accessMs).toBe(899_000);
});
