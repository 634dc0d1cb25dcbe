// Many tabs of one browser, in any order and on any network, against the real handlers, in a virtual world: the same
// choices give the same history.

import fc from "fast-check";
import { expect } from "vitest";
import { Scheduler } from "../../test/scheduler.ts";
import { type Delivery, VirtualBrowser } from "../../test/virtual-browser.ts";
import { createSessionClient, type SessionClient } from "../client.ts";
import { cookieNames } from "../cookie-names.ts";
import { createWalletKeypair } from "../testing.ts";
import { onAbort } from "./abort.ts";
import type { Fetch } from "./endpoints.ts";
import { ORIGIN, serverOn } from "./server.fixture.ts";

const COOKIES = cookieNames("ws");

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const SIGN_IN_TAKES_MS = 10 * SECOND;
const LATE_MS = 7 * SECOND;
const MIN_TTL_MS = 5 * MINUTE;
const TWO_LEEWAYS_MS = MINUTE;
const START_MS = 1_790_000_000_123;

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

/** A history: what is done, how long after each deed the next one comes, and who goes first where more than one could. */
export const history = fc.record({
  deeds: fc.array(fc.record({ deed, thenMs: fc.constantFrom(0, 20, 300, 5_000) }), {
    minLength: 4,
    maxLength: 14,
  }),
  // Shrinks towards first come, first served.
  choices: fc.array(fc.nat({ max: 59 }), { maxLength: 600, size: "max" }),
});
export type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

export interface BrowserParts {
  readonly channels: boolean;
  readonly locks: boolean;
}

/** What the browsers have of it. */
export const BROWSERS: readonly BrowserParts[] = [
  { channels: true, locks: true },
  { channels: false, locks: true },
  { channels: true, locks: false },
];

async function openWorld({ channels, locks }: BrowserParts, choices: readonly number[]) {
  let chosen = 0;
  const scheduler = new Scheduler((count) => {
    const choice = choices[chosen] ?? 0;
    chosen += 1;
    return choice % count;
  });
  const now = () => START_MS + scheduler.nowMs;
  const server = await serverOn({ now });
  let weather: Weather = "fine";
  /** Renewals on their way; where one is late, or slept over, others go on without the lock. */
  const seen = { refreshes: 0, inFlight: 0, atOnce: 0, late: false };

  async function network(request: Request): Promise<Delivery | null> {
    const headers = { "content-type": "application/problem+json", "retry-after": "0" };
    const refusal = (status: number, code: string) => ({
      response: new Response(JSON.stringify({ status, code, detail: code }), { status, headers }),
    });
    const page = (status: number) => ({
      response: new Response("<h1>Log in</h1>", { status, headers: { "content-type": "text/html" } }),
    });
    switch (weather) {
      case "request lost":
        return null;
      case "portal":
        return page(200);
      case "stranger's 401":
        return page(401);
      case "unavailable":
        return refusal(503, "store_unavailable");
      case "limited":
        return refusal(429, "rate_limited");
      case "answer lost":
        await server.handlers.fetch(request);
        return null;
      case "answer late":
        seen.late = true;
        return { response: await server.handlers.fetch(request), delayMs: LATE_MS };
      case "fine":
        return { response: await server.handlers.fetch(request) };
      default:
        return weather satisfies never;
    }
  }

  const browser = new VirtualBrowser(scheduler, network);
  const environment = {
    ...browser.environment,
    ...(!channels && { openChannel: () => undefined }),
    ...(!locks && { locks: undefined }),
  };
  const fetch: typeof browser.fetch = async (input, init) => {
    // What is called off before it is sent is not sent.
    if (!String(input).endsWith("/refresh") || init?.signal?.aborted) return browser.fetch(input, init);
    seen.refreshes += 1;
    seen.inFlight += 1;
    if (!seen.late) seen.atOnce = Math.max(seen.atOnce, seen.inFlight);
    return browser.fetch(input, init).finally(() => {
      seen.inFlight -= 1;
    });
  };

  const closes: (() => void)[] = [];
  /** What must not be, at whatever moment. */
  const broken: string[] = [];
  function openTab(): { readonly client: SessionClient; readonly close: () => void } {
    const closing = new AbortController();
    const client = createSessionClient({
      basePath: `${ORIGIN}/api/auth`,
      fetch: untilClosed(fetch, closing.signal),
      environment,
    });
    client.subscribe((state) => {
      if (state.status === "signed-out") broken.push(`signed out: ${state.reason}`);
    });
    const stop = client.start();
    const close = () => {
      stop();
      closing.abort();
    };
    closes.push(close);
    return { client, close };
  }

  /** What the jar's access token says of itself; the jar of a sleeping or unlucky browser may hold an old one. */
  function jarIsFresh(): boolean {
    const [, claims = ""] = (browser.jar.get(COOKIES.access) ?? "").split(".");
    const { iat, exp } = JSON.parse(Buffer.from(claims, "base64url").toString() || "{}");
    return exp * SECOND - now() >= MIN_TTL_MS - SECOND || now() - iat * SECOND <= TWO_LEEWAYS_MS + SECOND;
  }

  return {
    scheduler,
    server,
    browser,
    tabs: [openTab(), openTab(), openTab(), openTab()],
    openTab,
    closes,
    broken,
    seen,
    jarIsFresh,
    setWeather: (next: Weather) => {
      weather = next;
    },
  };
}

/** A closed page's requests are aborted. */
function untilClosed(fetch: Fetch, closed: AbortSignal): Fetch {
  return async (input, init) => {
    const abort = new AbortController();
    const giveUp = () => abort.abort();
    const stops = [onAbort(init?.signal ?? undefined, giveUp), onAbort(closed, giveUp)];
    try {
      return await fetch(input, { ...init, signal: abort.signal });
    } finally {
      for (const stop of stops) stop();
    }
  };
}

type World = Awaited<ReturnType<typeof openWorld>>;

const signIn = (client: SessionClient, keypair = createWalletKeypair()) =>
  client.signIn({
    account: keypair.account,
    sign: async ({ transaction, networkPassphrase }) =>
      keypair.sign({ transaction, network_passphrase: networkPassphrase }),
  });

/** Begins it, and does not wait for it: the next deed comes beside it. */
async function does(world: World, deed: Deed): Promise<void> {
  const { browser, scheduler, tabs, seen } = world;
  const before = seen.refreshes;
  switch (deed.type) {
    case "weather":
      world.setWeather(deed.weather);
      return;
    case "passes":
      await scheduler.runFor(deed.minutes * MINUTE);
      // A handful at first, then one a minute; and one for each that the jitter brings forward.
      expect(seen.refreshes - before).toBeLessThanOrEqual(tabs.length * (8 + 2 * deed.minutes));
      return;
    case "sleeps":
      if (seen.inFlight > 0) seen.late = true;
      scheduler.sleep(deed.minutes * MINUTE);
      browser.wake();
      return;
    case "wake":
      browser.wake();
      return;
    case "reopen": {
      tabs[deed.tab]?.close();
      const opened = world.openTab();
      tabs[deed.tab] = opened;
      opened.client.check().catch(() => {});
      return;
    }
    default: {
      const client = tabs[deed.tab]?.client;
      if (client !== undefined) await asks(world, client, deed.type);
    }
  }
}

async function asks(
  world: World,
  client: SessionClient,
  ask: "refresh" | "check" | "ensureFresh" | "fetch" | "signIn",
): Promise<void> {
  switch (ask) {
    case "refresh":
      client.refresh().catch(() => {});
      return;
    case "check":
      client.check().catch(() => {});
      return;
    case "fetch":
      client.fetch(`${ORIGIN}/api/auth/sessions`).catch(() => {});
      return;
    case "ensureFresh":
      client.ensureFresh(MIN_TTL_MS).then(
        () => void (world.jarIsFresh() || world.broken.push("ensureFresh left an old jar")),
        () => {},
      );
      return;
    case "signIn":
      // A sign-in whose answer is lost leaves a session that has ended: that is another story.
      world.setWeather("fine");
      signIn(client).catch(() => {});
      await world.scheduler.runFor(SIGN_IN_TAKES_MS);
      return;
    default:
      ask satisfies never;
  }
}

/** Lives through a history and judges it. Gives the turns that it took. */
export async function live(parts: BrowserParts, { deeds, choices }: History): Promise<readonly string[]> {
  const world = await openWorld(parts, choices);
  const { scheduler, server, tabs, seen } = world;
  const ask = (clients: readonly SessionClient[]) =>
    scheduler.runUntil(Promise.all(clients.map((client) => client.check())));
  const clients = () => tabs.map(({ client }) => client);
  const [first] = clients();
  if (first !== undefined) await scheduler.runUntil(signIn(first));
  await ask(clients());
  for (const { deed, thenMs } of deeds) {
    await does(world, deed);
    await scheduler.runFor(thenMs);
    expect(world.broken).toEqual([]);
    expect(server.events.filter(({ type }) => type === "reuse_detected")).toEqual([]);
  }
  if (parts.locks) expect(seen.atOnce).toBeLessThanOrEqual(1);

  world.setWeather("fine");
  await scheduler.runFor(2 * MINUTE);
  // A tab that was told nothing asks again, as a page does; without channels it learns so of another tab's sign-in.
  await ask(clients().filter(({ state }) => !parts.channels || state.status === "unknown"));
  const [truth] = await ask([world.openTab().client]);
  await scheduler.runFor(0);
  expect(world.broken).toEqual([]);
  expect(truth?.status).toBe("signed-in");
  for (const client of clients()) {
    expect(client.state).toEqual(truth);
    expect(client.timing()?.accessMs).toBeGreaterThan(0);
  }
  for (const close of world.closes) close();
  return scheduler.history;
}
