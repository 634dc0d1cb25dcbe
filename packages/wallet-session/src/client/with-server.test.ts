import { beforeEach, describe, expect, test } from "vitest";
import { TestPage } from "../../test/test-page.ts";
import { createSessionClient, type SessionClient } from "../client.ts";
import { createHandlers } from "../http.ts";
import { createSessionEngine, type SessionEvent } from "../index.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { createManualClock, createWalletKeypair } from "../testing.ts";
import { createStellarWallet, masterKeyOnly } from "../wallets/stellar.ts";

const ORIGIN = "https://pay.example.com";
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

async function startServer() {
  const clock = createManualClock();
  const events: SessionEvent[] = [];
  const engine = createSessionEngine({
    store: createMemoryStore(),
    secrets: ["a secret of the tests that is long enough to be one"],
    issuer: ORIGIN,
    clock,
    every: () => () => {},
    onEvent: (event) => events.push(event),
  });
  await engine.start();
  const wallet = createStellarWallet({
    signingSeed: createWalletKeypair().seed,
    networkPassphrase: "Test SDF Network ; September 2015",
    homeDomain: "pay.example.com",
    webAuthEndpoint: `${ORIGIN}/api/auth/wallet`,
    accountSigners: masterKeyOnly,
    clock,
  });
  const handlers = createHandlers({ engine, wallet, publicUrl: new URL(ORIGIN), clock, rateLimit: false });
  return { engine, handlers, clock, events };
}

function openPage(): TestPage {
  return new TestPage((input, init) => network(new Request(input, init)));
}

function newTab(of: TestPage): SessionClient {
  return createSessionClient({
    basePath: `${ORIGIN}/api/auth`,
    fetch: of.fetch,
    environment: of.environment,
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

const outcomes = () =>
  server.events.flatMap((event) =>
    event.type === "refreshed" ? [`${event.outcome} ${event.generation}`] : [],
  );

const alarms = () => server.events.filter(({ type }) => type === "reuse_detected");

const call = (tab: SessionClient, path: string, init?: RequestInit) => tab.fetch(`${ORIGIN}${path}`, init);

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
    page.deleteCookie("__Host-ws_access");
    const later = newTab(page);
    expect((await later.check()).status).toBe(status);
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
    network = async (request) => {
      await server.handlers.fetch(request);
      throw new TypeError("the connection was lost");
    };
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
    network = async (request) => {
      await server.handlers.fetch(request);
      throw new TypeError("the tab is gone");
    };
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

describe("sessions that are ended elsewhere", () => {
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
    const response = await call(client, "/api/auth/session");
    expect(response.status).toBe(200);
    await client.refresh();
    expect(client.state).toEqual(anew);
  });
});
