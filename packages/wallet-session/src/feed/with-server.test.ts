import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TestPage } from "../../test/test-page.ts";
import { createSessionClient, type SessionClient } from "../client.ts";
import { cookieNames } from "../cookie-names.ts";
import { createManualTimers, ISSUER } from "../engine/engine.fixture.ts";
import { createSessionFeed, type FeedEvent } from "../feed.ts";
import { startHttp } from "../http/http.fixture.ts";
import type { ServerEvent, ServerEventSource } from "../http.ts";
import { createManualClock, createWalletKeypair } from "../testing.ts";

const COOKIES = cookieNames("ws");

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const stops: (() => void)[] = [];
let server: Awaited<ReturnType<typeof startServer>>;
let browser: ReturnType<typeof openBrowser>;

beforeEach(async () => {
  server = await startServer();
  browser = openBrowser();
});

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** The real handlers, and a feed of the app's own whose events the test makes. */
async function startServer() {
  const clock = createManualClock();
  const { every, pass } = createManualTimers(clock);
  const http = await startHttp({ clock, every, engineOptions: { clock, every } });
  const log: ServerEvent[] = [];
  const readers = new Set<() => void>();
  const opened: (string | null)[] = [];

  const source: ServerEventSource = async function* ({ lastEventId, signal }) {
    let next = lastEventId === null ? log.length : Number(lastEventId);
    while (!signal.aborted) {
      const event = log[next];
      if (event !== undefined) {
        next += 1;
        yield event;
        continue;
      }
      await new Promise<void>((resolve) => {
        readers.add(resolve);
        signal.addEventListener("abort", () => resolve());
      });
    }
  };

  async function network(request: Request): Promise<Response> {
    if (new URL(request.url).pathname !== "/api/events") return http.handlers.fetch(request);
    try {
      const session = await http.handlers.guard(request);
      const response = await http.handlers.eventStream(request, session, source);
      opened.push(request.headers.get("last-event-id"));
      return response;
    } catch (error) {
      return http.handlers.problem(error);
    }
  }

  function happen(data: unknown): void {
    log.push({ id: `${log.length + 1}`, event: "stream.state", data });
    for (const read of readers) read();
    readers.clear();
  }

  return { ...http, pass, network, happen, opened };
}

function openBrowser() {
  const page = new TestPage((input, init) => server.network(new Request(input, init)));
  const keypair = createWalletKeypair();
  const environment = page.environment;
  const clients: SessionClient[] = [];

  function openTab() {
    const client = createSessionClient({ basePath: `${ISSUER}/api/auth`, fetch: page.fetch, environment });
    const feed = createSessionFeed({ client, url: `${ISSUER}/api/events`, environment });
    const heard: FeedEvent[] = [];
    feed.subscribe((event) => heard.push(event));
    stops.push(client.start(), feed.start());
    clients.push(client);
    const signIn = () =>
      client.signIn({
        account: keypair.account,
        sign: async ({ transaction, networkPassphrase }) =>
          keypair.sign({ transaction, network_passphrase: networkPassphrase }),
      });
    const types = () => heard.map(({ type }) => type);
    return { client, feed, heard, signIn, types };
  }

  return { page, clients, openTab };
}

/** For the server and the browser, second by second. */
async function timePasses(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 5 * SECOND) {
    const step = Math.min(left, 5 * SECOND);
    await server.pass(step);
    browser.page.pass(step);
    await browser.page.settle();
    // A renewal takes some real time, which must not count for more here.
    const busy = () => browser.page.timersRun && browser.clients.some(isRenewing);
    await expect.poll(busy, { timeout: 10_000 }).toBe(false);
  }
}

const isRenewing = (client: SessionClient) => client.timing()?.renewalMs === 0;

async function liveTabs(count: number) {
  const tabs = Array.from({ length: count }, () => browser.openTab());
  await tabs[0]?.signIn();
  for (const { client, feed } of tabs) {
    await client.check();
    await expect.poll(() => feed.status).toBe("live");
  }
  return tabs;
}

test("five lifetimes of the access token: a connection for each, and each event once", async () => {
  const tabs = await liveTabs(3);
  for (let minute = 1; minute <= 75; minute++) {
    await timePasses(1 * MINUTE);
    server.happen(minute);
  }
  const minutes = Array.from({ length: 75 }, (_, index) => index + 1);
  for (const { heard } of tabs) {
    const streamEvents = () => heard.filter(({ type }) => type === "stream.state").map(({ data }) => data);
    await expect.poll(streamEvents).toEqual(minutes);
  }
  expect(server.opened.length).toBeGreaterThanOrEqual(4);
  expect(server.opened.length).toBeLessThanOrEqual(7);
  expect(server.events.filter(({ type }) => type === "signed_in")).toHaveLength(1);
  for (const { client, feed } of tabs) {
    expect(client.state.status).toBe("signed-in");
    expect(feed.status).toBe("live");
  }
});

test("tabs whose timers do not run renew when the stream warns them", async () => {
  const [tab] = await liveTabs(1);
  browser.page.timersRun = false;
  await timePasses(14 * MINUTE + 30 * SECOND);
  await expect.poll(() => tab?.types()).toEqual(["session.expiring", "session.renewed"]);
  expect(tab?.feed.status).toBe("live");
});

test("after sleep it goes on with what happened meanwhile, each once", async () => {
  const [tab] = await liveTabs(1);
  server.happen("before");
  await expect.poll(() => tab?.types()).toEqual(["stream.state"]);
  browser.page.timersRun = false;
  await server.pass(60 * MINUTE);
  server.happen("meanwhile");
  browser.page.pass(60 * MINUTE);
  browser.page.timersRun = true;
  browser.page.wake();
  await expect
    .poll(() => {
      browser.page.pass(1 * SECOND);
      return tab?.heard.filter(({ type }) => type === "stream.state").map(({ data }) => data);
    })
    .toEqual(["before", "meanwhile"]);
  expect(server.opened.at(-1)).toBe("1");
});

describe("a session that ends elsewhere", () => {
  test("revoked from another device: every tab knows within a second, and the jar is empty", async () => {
    const tabs = await liveTabs(3);
    const [session] = await server.engine.listSessions((await whoIs(tabs[0])).actor_id);
    if (session === undefined) throw new Error("There is no session.");
    await server.engine.revokeSession(session.actorId, session.id);
    await server.pass(1 * SECOND);
    for (const { client, feed } of tabs) {
      await expect.poll(() => client.state.status).toBe("signed-out");
      expect(feed.status).toBe("idle");
    }
    expect(browser.page.cookieNames()).not.toContain(COOKIES.refresh);
  });

  test("by a thief who used a spent token: the page learns why", async () => {
    const tabs = await liveTabs(2);
    const stolen = browser.page.cookie(COOKIES.refresh);
    await timePasses(15 * MINUTE);
    await expect.poll(() => browser.page.cookie(COOKIES.refresh)).not.toBe(stolen);
    await timePasses(1 * MINUTE);
    const response = await server.send("POST", "/api/auth/refresh", {
      headers: {
        cookie: `${COOKIES.refresh}=${stolen}`,
        "sec-fetch-site": "same-origin",
        "idempotency-key": "the-key-of-a-thief",
      },
    });
    expect(response.status).toBe(401);
    await server.pass(1 * SECOND);
    for (const { client } of tabs) {
      await expect.poll(() => client.state).toEqual({ status: "signed-out", reason: "refresh_token_reused" });
    }
  });
});

test("more tabs than one session may have streams: those that cannot share take turns, and are not signed out", async () => {
  const { environment } = browser.page;
  const page = { ...environment, locks: undefined };
  const [first] = await liveTabs(1);
  const others = Array.from({ length: 9 }, () => {
    const client = createSessionClient({
      basePath: `${ISSUER}/api/auth`,
      fetch: browser.page.fetch,
      environment: page,
    });
    const feed = createSessionFeed({ client, url: `${ISSUER}/api/events`, environment: page });
    stops.push(client.start(), feed.start());
    return { client, feed };
  });
  for (const { client } of others) await client.check();
  const feeds = [first?.feed, ...others.map(({ feed }) => feed)];
  const having = (status: string) => feeds.filter((feed) => feed?.status === status);
  const settled = () => expect.poll(() => [having("live").length, having("waiting").length]).toEqual([8, 2]);
  await settled();
  const waiting = having("waiting");
  browser.page.pass(2_000);
  for (const feed of waiting) await expect.poll(() => feed?.status).toBe("live");
  await settled();
  expect(new Set(others.map(({ client }) => client.state.status))).toEqual(new Set(["signed-in"]));
});

async function whoIs(tab: ReturnType<typeof browser.openTab> | undefined): Promise<{ actor_id: string }> {
  const response = await tab?.client.fetch(`${ISSUER}/api/auth/session`);
  return response?.json();
}
