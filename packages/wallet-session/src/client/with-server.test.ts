import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { TestPage } from "../../test/test-page.ts";
import { createSessionClient, type SessionClient } from "../client.ts";
import { cookieNames } from "../cookie-names.ts";
import { createWalletKeypair } from "../testing.ts";
import { ORIGIN, startServer } from "./server.fixture.ts";

const COOKIES = cookieNames("ws");

const MINUTE = 60_000;

type Network = (request: Request) => Promise<Response>;

let server: Awaited<ReturnType<typeof startServer>>;
/** Between the browser and the server; tests put faults here. */
let network: Network;
let page: TestPage;
let client: SessionClient;
let keypair: ReturnType<typeof createWalletKeypair>;

beforeEach(async () => {
  server = await startServer();
  network = server.handlers.fetch;
  keypair = createWalletKeypair();
  page = openPage();
  page.timersRun = false;
  client = newTab(page);
});

function openPage(): TestPage {
  return new TestPage((input, init) => network(new Request(input, init)));
}

function newTab(of: TestPage): SessionClient {
  return createSessionClient({
    basePath: `${ORIGIN}/api/auth`,
    fetch: of.fetch,
    environment: { ...of.environment, origin: ORIGIN },
  });
}

const signIn = (tab: SessionClient = client) =>
  tab.signIn({
    account: keypair.account,
    sign: async ({ transaction, networkPassphrase }) =>
      keypair.sign({ transaction, network_passphrase: networkPassphrase }),
  });

/** For the server and the page, whose timers do not run meanwhile: it sleeps. */
function timePasses(ms: number): void {
  server.clock.advance(ms);
  page.pass(ms);
}

/** The server meets them, and their answers are lost. */
const losingPosts =
  (message: string): Network =>
  async (request) => {
    const response = await server.handlers.fetch(request);
    if (request.method === "POST") throw new TypeError(message);
    return response;
  };

const outcomes = () =>
  server.events.flatMap((event) =>
    event.type === "refreshed" ? [`${event.outcome} ${event.generation}`] : [],
  );

const alarms = () => server.events.filter(({ type }) => type === "reuse_detected");

const call = (tab: SessionClient, path: string, init?: RequestInit) => tab.fetch(`${ORIGIN}${path}`, init);

describe("a browser that keeps no cookies", () => {
  const sessions = async () => (await server.engine.listSessions(keypair.account)).length;
  const withoutSetCookie: Network = async (request) => {
    const response = await server.handlers.fetch(request);
    response.headers.delete("set-cookie");
    return response;
  };

  test.each<[string, () => SessionClient]>([
    ["behind a proxy that drops Set-Cookie", () => client],
    [
      "that refuses the script's as well",
      () =>
        createSessionClient({
          basePath: `${ORIGIN}/api/auth`,
          fetch: (input, init) => network(new Request(input, init)),
        }),
    ],
  ])("%s is told before the wallet is asked, and no session is made", async (_, tab) => {
    network = withoutSetCookie;
    const sign = vi.fn(keypair.sign);
    // As a page does when it loads: its script leaves a retry key behind.
    await tab().check();
    const attempt = tab().signIn({ account: keypair.account, sign });
    await expect(attempt).rejects.toMatchObject({
      code: "cookies_not_kept",
      message: expect.stringContaining("https"),
    });
    expect([sign.mock.calls.length, await sessions()]).toEqual([0, 0]);
  });

  test("is not one whose jar is empty, or holds what a script has set", async () => {
    await client.check();
    expect((await signIn()).status).toBe("signed-in");
    await client.signOut();
    expect((await signIn()).status).toBe("signed-in");
    expect(await sessions()).toBe(1);
  });

  test("is not one whose jar holds tokens: its retry key stays, and with it a refresh whose answer was lost", async () => {
    await signIn();
    timePasses(16 * MINUTE);
    network = losingPosts("lost");
    await expect(client.refresh()).rejects.toMatchObject({ code: "network_error" });
    network = server.handlers.fetch;
    const declined = client.signIn({
      account: keypair.account,
      sign: () => Promise.reject(new Error("declined")),
    });
    await expect(declined).rejects.toThrow("declined");
    timePasses(5 * MINUTE);
    expect((await client.refresh()).status).toBe("signed-in");
    expect([outcomes(), alarms()]).toEqual([["rotated 2", "replayed 2"], []]);
  });
});

describe("the life of a session", () => {
  test("sign-in, renewals, sign-out", async () => {
    expect((await signIn()).status).toBe("signed-in");
    for (let i = 0; i < 3; i++) {
      timePasses(10 * MINUTE);
      await client.refresh();
    }
    expect(outcomes()).toEqual(["rotated 2", "rotated 3", "rotated 4"]);
    expect(await client.signOut()).toEqual({ status: "signed-out", reason: "signed_out" });
    expect(page.cookieNames()).toEqual([]);
  });

  test("an access token that has ended is renewed under the request that needs it", async () => {
    await signIn();
    timePasses(16 * MINUTE);
    const response = await call(client, "/api/auth/sessions");
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ sessions: [{ current: true, generation: 2 }] });
  });

  test("a cold load with the refresh cookie alone", async () => {
    const { status } = await signIn();
    timePasses(16 * MINUTE);
    page.deleteCookie(COOKIES.access);
    const later = newTab(page);
    expect((await later.check()).status).toBe(status);
  });

  test("in a browser from before 2024, which cannot parse a URL without throwing", async () => {
    const { parse } = URL;
    onTestFinished(() => void Object.assign(URL, { parse }));
    Object.assign(URL, { parse: undefined });
    const state = await signIn();
    expect(await client.check()).toEqual(state);
    expect((await client.fetch(new URL("/api/auth/sessions", ORIGIN))).status).toBe(200);
  });

  test("it runs out when it is not used", async () => {
    await signIn();
    timePasses(8 * 24 * 60 * MINUTE);
    expect(await client.check()).toEqual({ status: "signed-out", reason: "refresh_token_expired" });
    expect(page.cookieNames()).toEqual([]);
  });
});

describe("what networks and tabs do", () => {
  test("an answer lost on its way is retried, hours later, without an alarm", async () => {
    await signIn();
    timePasses(10 * MINUTE);
    network = losingPosts("the connection was lost");
    await expect(client.refresh()).rejects.toMatchObject({ code: "network_error" });
    expect(client.state.status).toBe("signed-in");
    network = server.handlers.fetch;
    timePasses(300 * MINUTE);
    expect((await client.refresh()).status).toBe("signed-in");
    expect(outcomes()).toEqual(["rotated 2", "replayed 2"]);
    expect(alarms()).toEqual([]);
  });

  test("a page closed before it heard the answer leaves its retry to the next one", async () => {
    await signIn();
    timePasses(10 * MINUTE);
    network = losingPosts("the tab is gone");
    await expect(client.refresh()).rejects.toThrow();
    network = server.handlers.fetch;
    timePasses(300 * MINUTE);
    expect((await newTab(page).check()).status).toBe("signed-in");
    expect(alarms()).toEqual([]);
  });

  test("eight tabs that wake at once rotate once", async () => {
    await signIn();
    timePasses(16 * MINUTE);
    const tabs = Array.from({ length: 8 }, () => newTab(page));
    const states = await Promise.all(tabs.map((tab) => tab.check()));
    expect(new Set(states.map(({ status }) => status))).toEqual(new Set(["signed-in"]));
    expect(outcomes().filter((outcome) => outcome.startsWith("rotated"))).toHaveLength(1);
    expect(alarms()).toEqual([]);
  });

  test("eight tabs without locks are as safe", async () => {
    await signIn();
    timePasses(16 * MINUTE);
    const tabs = Array.from({ length: 8 }, () =>
      createSessionClient({
        basePath: `${ORIGIN}/api/auth`,
        fetch: page.fetch,
        environment: { ...page.environment, locks: undefined },
      }),
    );
    const states = await Promise.all(tabs.map((tab) => tab.check()));
    expect(new Set(states.map(({ status }) => status))).toEqual(new Set(["signed-in"]));
    expect(outcomes().filter((outcome) => outcome.startsWith("rotated"))).toHaveLength(1);
    expect(alarms()).toEqual([]);
  });
});

describe("tabs that hear each other", () => {
  const stops: (() => void)[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });

  async function startTabs(count: number): Promise<SessionClient[]> {
    const tabs = Array.from({ length: count }, () => newTab(page));
    for (const tab of tabs) stops.push(tab.start());
    await Promise.all(tabs.map((tab) => tab.check()));
    return tabs;
  }

  test("ten tabs, hours of renewals: one at a time, each for all of them", async () => {
    await signIn();
    const tabs = await startTabs(10);
    page.timersRun = true;
    for (let i = 2; i < 8; i++) {
      timePasses(12 * MINUTE);
      for (const tab of tabs) await expect.poll(() => tab.timing()?.accessMs).toBe(15 * MINUTE);
      expect(
        outcomes()
          .filter((outcome) => outcome.startsWith("rotated"))
          .at(-1),
      ).toBe(`rotated ${i}`);
    }
    expect(alarms()).toEqual([]);
  });

  test("an account that is switched in one tab is switched in all, and the earlier session has ended", async () => {
    await signIn();
    const [first, ...others] = await startTabs(4);
    keypair = createWalletKeypair();
    const anew = await signIn(first);
    for (const tab of others) await expect.poll(() => tab.state).toEqual(anew);
    for (const tab of others) {
      expect(await (await call(tab, "/api/auth/session")).json()).toMatchObject({
        actor_id: keypair.account,
      });
    }
  });

  test("tabs that sign in at the same moment come to agree on the session in the jar", async () => {
    const tabs = await startTabs(5);
    await Promise.all(tabs.map((tab) => signIn(tab)));
    const { session_id: inJar } = await (await call(newTab(page), "/api/auth/session")).json();
    for (const tab of tabs) await expect.poll(() => tab.state).toMatchObject({ sessionId: inJar });
  });

  test("renewals and a sign-out at the same moment: all are signed out, with no token in the jar", async () => {
    await signIn();
    const tabs = await startTabs(6);
    timePasses(10 * MINUTE);
    const [leaving, ...others] = tabs;
    await Promise.all([...others.map((tab) => tab.refresh()), leaving?.signOut()]);
    for (const tab of tabs) await expect.poll(() => tab.state.status).toBe("signed-out");
    expect(page.cookieNames()).not.toContain(COOKIES.refresh);
    expect(alarms()).toEqual([]);
  });
});

describe("sessions that are ended elsewhere", () => {
  test("a feed that is the first to know: the server has the last word and empties the jar", async () => {
    await signIn();
    expect((await client.endedElsewhere("refresh_token_reused")).status).toBe("signed-in");
    timePasses(10 * MINUTE);
    const other = newTab(openPage());
    await signIn(other);
    await call(other, "/api/auth/sessions", { method: "DELETE" });
    expect(await client.endedElsewhere("refresh_token_reused")).toEqual({
      status: "signed-out",
      reason: "refresh_token_reused",
    });
    expect(page.cookieNames()).toEqual([]);
  });

  test("ended by the operator: the page learns that it was nobody with the wallet, and so do the other tabs", async () => {
    const [told, other] = [newTab(page), newTab(page)];
    for (const stop of [told.start(), other.start()]) onTestFinished(stop);
    await signIn(told);
    await expect.poll(() => other.state.status).toBe("signed-in");
    timePasses(2 * MINUTE);
    await server.engine.revokeByRefreshToken(page.cookie(COOKIES.refresh) ?? "", "admin");
    const state = { status: "signed-out", reason: "ended_by_operator" };
    expect(await told.endedElsewhere("session_revoked")).toEqual(state);
    await expect.poll(() => other.state).toEqual(state);
  });

  test("ended from another device: the next request learns of it", async () => {
    await signIn();
    const other = newTab(openPage());
    await signIn(other);
    const ended = await call(other, "/api/auth/sessions", { method: "DELETE" });
    expect(await ended.json()).toEqual({ revoked: 1 });
    await call(client, "/api/auth/session");
    expect(client.state).toEqual({ status: "signed-out", reason: "refresh_token_revoked" });
    expect(other.state.status).toBe("signed-in");
    expect(page.cookieNames()).toEqual([]);
  });

  test("signed out in another tab", async () => {
    await signIn();
    const other = newTab(page);
    await other.check();
    await other.signOut();
    await call(client, "/api/auth/session");
    expect(client.state).toEqual({ status: "signed-out", reason: "refresh_token_missing" });
  });

  test("signed in anew in another tab: this one goes on with the new session", async () => {
    await signIn();
    const other = newTab(page);
    const anew = await signIn(other);
    expect((await call(client, "/api/auth/session")).status).toBe(401);
    expect(client.state).toEqual(anew);
    expect((await call(client, "/api/auth/session")).status).toBe(200);
  });
});

describe("a tab that has not heard that somebody else has signed in", () => {
  const seen: string[] = [];

  beforeEach(async () => {
    seen.length = 0;
    await signIn();
    network = (request) => {
      seen.push(new URL(request.url).pathname);
      return server.handlers.fetch(request);
    };
    keypair = createWalletKeypair();
    await signIn(newTab(page));
  });

  test("is answered for nobody else, learns of it, and asks in the new name from then on", async () => {
    const before = client.state;
    const refused = await call(client, "/api/auth/sessions");
    expect([refused.status, (await refused.json()).code]).toEqual([401, "session_revoked"]);
    expect(seen.filter((path) => path === "/api/auth/sessions")).toHaveLength(1);
    expect(client.state).toMatchObject({ status: "signed-in" });
    expect(client.state).not.toEqual(before);
    expect((await (await call(client, "/api/auth/session")).json()).actor_id).toBe(keypair.account);
  });

  test("changes nothing in the other one's name", async () => {
    const third = createWalletKeypair();
    const bystander = await server.engine.signIn(
      { actorId: keypair.account, challenge: { id: third.account, expiresAt: server.clock.now() + MINUTE } },
      { transport: "body", client: { browser: null, os: null, device: null, ip: null } },
    );
    expect((await call(client, "/api/auth/sessions", { method: "DELETE" })).status).toBe(401);
    expect(await server.engine.getSessionStatus(bystander.session.id)).toMatchObject({ status: "live" });
  });

  test("keeps its own headers and the request's, and says nothing of its session to other origins", async () => {
    const headers: (readonly [string, string | null, string | null])[] = [];
    network = async (request) => {
      const { origin } = new URL(request.url);
      headers.push([origin, request.headers.get("x-own"), request.headers.get("session-id")]);
      return new Response();
    };
    const { sessionId } = client.state as { sessionId: string };
    const init = { headers: { "x-own": "1" } };
    await call(client, "/api/things", init);
    await client.fetch(new Request(`${ORIGIN}/api/things`, init));
    await client.fetch("https://elsewhere.example/things", init);
    expect(headers).toEqual([
      [ORIGIN, "1", sessionId],
      [ORIGIN, "1", sessionId],
      ["https://elsewhere.example", "1", null],
    ]);
  });
});
