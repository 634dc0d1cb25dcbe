// Many tabs of one browser, in any order and any weather, against the real handlers.
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { TestPage } from "../../test/test-page.ts";
import { createSessionClient, type SessionClient } from "../client.ts";
import { createWalletKeypair } from "../testing.ts";
import { ORIGIN, startServer } from "./server.fixture.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const STEP_MS = 10 * SECOND;
const MIN_TTL_MS = 5 * MINUTE;
const TWO_LEEWAYS_MS = MINUTE;

const WEATHERS = [
  "fine",
  "request lost",
  "answer lost",
  "answer late",
  "unavailable",
  "limited",
  "portal",
  "stranger's 401",
] as const;
type Weather = (typeof WEATHERS)[number];

const tab = fc.nat({ max: 3 });
const deed = fc.oneof(
  fc.record({ type: fc.constant("weather" as const), weather: fc.constantFrom(...WEATHERS) }),
  fc.record({ type: fc.constant("passes" as const), minutes: fc.constantFrom(0.5, 3, 11) }),
  fc.record({ type: fc.constant("sleeps" as const), minutes: fc.constantFrom(1, 14, 200) }),
  fc.record({
    type: fc.constantFrom("refresh", "check", "ensureFresh", "fetch", "wake", "reopen", "signIn"),
    tab,
  }),
);
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;

const leftOpen: (() => void)[] = [];
afterEach(() => {
  for (const close of leftOpen.splice(0)) close();
});

async function openBrowser({ channels, locks }: { channels: boolean; locks: boolean }) {
  const server = await startServer();
  let weather: Weather = "fine";
  let inFlight = 0;
  /** Requests that only the machine is to be waited for, and not the clock. */
  let underWay = 0;
  const seen = { refreshes: 0, atOnce: 0, late: false };
  const page = new TestPage(async (input, init) => {
    const request = new Request(input, init);
    const isRefresh = request.url.endsWith("/refresh");
    if (isRefresh) {
      seen.refreshes += 1;
      inFlight += 1;
      if (!seen.late) seen.atOnce = Math.max(seen.atOnce, inFlight);
    }
    underWay += 1;
    try {
      return await carry(request);
    } finally {
      underWay -= 1;
      if (isRefresh) inFlight -= 1;
    }
  });

  async function carry(request: Request): Promise<Response> {
    const now = weather;
    if (now === "request lost") throw new TypeError("unreachable");
    if (now === "portal")
      return new Response("<h1>Welcome</h1>", { headers: { "content-type": "text/html" } });
    if (now === "stranger's 401") return new Response("<h1>Log in</h1>", { status: 401 });
    if (now === "unavailable" || now === "limited") {
      const code = now === "limited" ? "rate_limited" : "store_unavailable";
      const headers = { "content-type": "application/problem+json", "retry-after": "0" };
      const status = now === "limited" ? 429 : 503;
      return new Response(JSON.stringify({ status, code, detail: code }), { status, headers });
    }
    const response = await server.handlers.fetch(request);
    if (now === "answer lost") throw new TypeError("the connection was lost");
    if (now === "answer late") {
      seen.late = true;
      underWay -= 1;
      await new Promise<void>((resolve, reject) => {
        page.environment.after(7 * SECOND, resolve);
        request.signal.addEventListener("abort", () => reject(request.signal.reason));
      }).finally(() => {
        underWay += 1;
      });
    }
    return response;
  }

  const environment = {
    ...page.environment,
    ...(!channels && { openChannel: () => undefined }),
    ...(!locks && { locks: undefined }),
  };
  function openTab(): { readonly client: SessionClient; readonly close: () => void } {
    const client = createSessionClient({ basePath: `${ORIGIN}/api/auth`, fetch: page.fetch, environment });
    const close = client.start();
    leftOpen.push(close);
    return { client, close };
  }
  const tabs = [openTab(), openTab(), openTab(), openTab()];

  /** No time goes by while the machine is at work: else it would seem to take ten seconds for it. */
  async function quiet(): Promise<void> {
    for (let calm = 0; calm < 2; calm += 1) {
      await page.settle();
      if (underWay > 0) calm = -1;
    }
  }

  async function passes(ms: number): Promise<void> {
    await quiet();
    for (let left = ms; left > 0; left -= STEP_MS) {
      server.clock.advance(Math.min(left, STEP_MS));
      page.pass(Math.min(left, STEP_MS));
      await quiet();
    }
  }

  /** What the jar's access token says of itself; the jar of a sleeping or unlucky browser may hold an old one. */
  function jarIsFresh(): boolean {
    const [, claims = ""] = (page.cookie("__Host-ws_access") ?? "").split(".");
    const { iat, exp } = JSON.parse(Buffer.from(claims, "base64url").toString() || "{}");
    const now = server.clock.now();
    return exp * SECOND - now >= MIN_TTL_MS - SECOND || now - iat * SECOND <= TWO_LEEWAYS_MS + SECOND;
  }

  return {
    server,
    page,
    tabs,
    openTab,
    seen,
    passes,
    quiet,
    jarIsFresh,
    setWeather: (next: Weather) => {
      weather = next;
    },
  };
}

type Browser = Awaited<ReturnType<typeof openBrowser>>;

const signIn = (client: SessionClient, keypair = createWalletKeypair()) =>
  client.signIn({
    account: keypair.account,
    sign: async ({ transaction, networkPassphrase }) =>
      keypair.sign({ transaction, network_passphrase: networkPassphrase }),
  });

/** Begins it, and does not wait for it: the next deed comes beside it. */
async function does(browser: Browser, deed: Deed): Promise<void> {
  const { page, tabs, seen } = browser;
  const before = seen.refreshes;
  switch (deed.type) {
    case "weather":
      browser.setWeather(deed.weather);
      return;
    case "passes":
      await browser.passes(deed.minutes * MINUTE);
      // A handful at first, then one a minute; and one for each that the jitter brings forward.
      expect(seen.refreshes - before).toBeLessThanOrEqual(tabs.length * (8 + 2 * deed.minutes));
      return;
    case "sleeps":
      page.timersRun = false;
      browser.server.clock.advance(deed.minutes * MINUTE);
      page.pass(deed.minutes * MINUTE);
      page.timersRun = true;
      page.wake();
      return;
    case "wake":
      page.wake();
      return;
    case "reopen": {
      tabs[deed.tab]?.close();
      const opened = browser.openTab();
      tabs[deed.tab] = opened;
      opened.client.check().catch(() => {});
      return;
    }
    default: {
      const client = tabs[deed.tab]?.client;
      if (client !== undefined) await asks(browser, client, deed.type);
    }
  }
}

async function asks(
  browser: Browser,
  client: SessionClient,
  type: "refresh" | "check" | "ensureFresh" | "fetch" | "signIn",
): Promise<void> {
  if (type === "refresh") client.refresh().catch(() => {});
  if (type === "check") client.check().catch(() => {});
  if (type === "fetch") client.fetch(`${ORIGIN}/api/auth/sessions`).catch(() => {});
  if (type === "ensureFresh") {
    client.ensureFresh(MIN_TTL_MS).then(
      () => expect(browser.jarIsFresh()).toBe(true),
      () => {},
    );
  }
  if (type === "signIn") {
    // A sign-in whose answer is lost leaves a session that has ended: that is another story.
    browser.setWeather("fine");
    const done = signIn(client).catch(() => {});
    await browser.passes(STEP_MS);
    await done;
  }
}

test.each([
  { channels: true, locks: true, runs: 25 },
  { channels: false, locks: true, runs: 15 },
  { channels: true, locks: false, runs: 15 },
])(
  "channels $channels, locks $locks: nobody is signed out, and all agree in the end",
  async ({ channels, locks, runs }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 4, maxLength: 14 }), async (deeds) => {
        const browser = await openBrowser({ channels, locks });
        const { server, tabs, seen } = browser;
        const [first] = tabs;
        if (first !== undefined) await signIn(first.client);
        await Promise.all(tabs.map(({ client }) => client.check()));
        for (const deed of deeds) {
          await does(browser, deed);
          await browser.quiet();
          for (const { client } of tabs) expect(client.state.status).not.toBe("signed-out");
          expect(server.events.filter(({ type }) => type === "reuse_detected")).toEqual([]);
        }
        if (locks) expect(seen.atOnce).toBeLessThanOrEqual(1);

        browser.setWeather("fine");
        await browser.passes(2 * MINUTE);
        // Whoever was told nothing asks again, as a page does; without channels a tab learns so who else has signed in.
        const askAgain = tabs.filter(({ client }) => !channels || client.state.status === "unknown");
        await Promise.all(askAgain.map(({ client }) => client.check()));
        const truth = await browser.openTab().client.check();
        expect(truth.status).toBe("signed-in");
        for (const { client } of tabs) {
          await expect.poll(() => client.state).toEqual(truth);
          expect(client.timing()?.accessMs).toBeGreaterThan(0);
        }
        for (const close of leftOpen.splice(0)) close();
      }),
      { numRuns: runs, endOnFailure: true },
    );
  },
);
