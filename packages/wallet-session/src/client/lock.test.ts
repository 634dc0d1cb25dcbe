// What keeps the tabs of a browser apart: real locks, real requests, and a clock that stands still unless it is told to go on.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Handler, json, problem, ScriptedServer, tokens } from "../../test/scripted-server.ts";
import { TestPage } from "../../test/test-page.ts";
import { createSessionClient, type SessionClient } from "../client.ts";
import { cookieNames } from "../cookie-names.ts";
import type { LockOptions } from "./environment.ts";

const COOKIES = cookieNames("ws");

const REFRESH = "POST /api/auth/refresh";
const SIGN_IN = "POST /api/auth/wallet";
const SIGN_OUT = "POST /api/auth/logout";
const WAIT_MS = 4_000;
/** After that a tab that signs in is done, or frozen. */
const CHANGE_OVER_MS = 15_000;
const FROM_BEFORE = { status: "signed-in", sessionId: "A" };
const NEW = { status: "signed-in", sessionId: "B" };

let server: ScriptedServer;
let page: TestPage;
const stops: (() => void)[] = [];

beforeEach(async () => {
  server = await new ScriptedServer().start();
  page = new TestPage();
  server.answers("GET /api/auth/wallet", json({ transaction: "xdr", network_passphrase: "net" }));
  server.answers("GET /api/auth/session", json({ actor_id: "G", session_id: "A", expires_in: 900 }));
});

afterEach(async () => {
  for (const stop of stops.splice(0)) stop();
  await server.stop();
});

interface TabOptions {
  /** What the others tell reaches it. */
  readonly hears: boolean;
  /** Its timers run, unlike those of a tab in the background. */
  readonly inFront?: boolean;
}

/** A tab of the browser, signed in. */
async function openTab({ hears, inFront = true }: TabOptions): Promise<SessionClient> {
  const tab = createSessionClient({
    basePath: `${server.origin}/api/auth`,
    fetch: page.fetch,
    environment: {
      ...page.environment,
      ...(!hears && { openChannel: () => undefined }),
      ...(!inFront && { after: () => () => {} }),
    },
  });
  stops.push(tab.start());
  await tab.check();
  return tab;
}

async function openTabs(options = { hears: true }): Promise<[SessionClient, SessionClient, SessionClient]> {
  return [await openTab(options), await openTab(options), await openTab(options)];
}

const signIn = (tab: SessionClient) => tab.signIn({ account: "G", sign: async () => "signed" });

/** Takes a lock and keeps it, as a tab does that the browser has frozen. */
async function freeze(name: string, mode: "exclusive" | "shared" = "exclusive"): Promise<void> {
  const { signal } = new AbortController();
  await new Promise<void>((taken) => {
    const held = page.environment.locks?.request(name, { signal, mode }, () => {
      taken();
      return new Promise(() => {});
    });
    // Somebody takes it away.
    held?.catch(() => {});
  });
}

/** The names are an agreement between the versions of a site's pages. */
const renewalLock = () => `wallet-session ${server.origin}/api/auth`;
const jarLock = () => `${renewalLock()} jar`;

interface Held {
  /** The asking tab is no longer there. */
  readonly isGivenUp: boolean;
  answer(handler: Handler): void;
}

/** From now on the server has such requests wait for an answer. */
function holds(call: string): readonly Held[] {
  const held: Held[] = [];
  server.answers(call, (request, response) => {
    held.push({
      get isGivenUp() {
        return response.destroyed;
      },
      answer: (handler) => handler(request, response),
    });
  });
  return held;
}

const emptiedJar: Handler = (_, response) => {
  response.writeHead(204, { "set-cookie": `${COOKIES.refresh}=; Max-Age=0` }).end();
};

/** Long enough for all that is about to happen; then time goes by, too little for a request to be given up. */
async function waits(ms: number): Promise<void> {
  await page.settle();
  page.pass(ms);
  await page.settle();
}

describe("a sign-in", () => {
  test("lets a renewal of another tab end before it is sent", async () => {
    const [first, second] = await openTabs();
    const renewals = holds(REFRESH);
    const renewal = first.refresh();
    await expect.poll(() => renewals.length).toBe(1);
    server.answers(SIGN_IN, tokens("B"));
    const change = signIn(second);
    await waits(WAIT_MS - 1);
    expect(server.calls(SIGN_IN)).toEqual([]);
    renewals[0]?.answer(tokens("A"));
    expect(await renewal).toEqual(FROM_BEFORE);
    expect(await change).toEqual(NEW);
  });

  test.each([{ hears: true }, { hears: false }])(
    "after 4 s ends all renewals, and is not answered beside one (tabs hear each other: $hears)",
    async ({ hears }) => {
      const [first, second, third] = await openTabs({ hears });
      const renewals = holds(REFRESH);
      const results = [first.refresh()];
      await expect.poll(() => renewals.length).toBe(1);
      results.push(second.refresh());
      // Done without the lock of renewals, beside the other one.
      await waits(WAIT_MS);
      await expect.poll(() => renewals.length).toBe(2);

      const changes = holds(SIGN_IN);
      const change = signIn(third);
      await waits(WAIT_MS);
      await expect.poll(() => changes.length).toBe(1);
      await expect.poll(() => renewals.map(({ isGivenUp }) => isGivenUp)).toEqual([true, true]);
      // They wait for what comes of it.
      await page.settle();
      expect(server.calls(REFRESH)).toHaveLength(2);
      server.answers(REFRESH, tokens("B"));
      changes[0]?.answer(tokens("B"));
      expect(await change).toEqual(NEW);
      expect(await Promise.all(results)).toEqual([NEW, NEW]);
      expect(server.calls(REFRESH)).toHaveLength(hears ? 2 : 4);
    },
  );

  test("that the server refuses has what it ended done anew, and all stay signed in", async () => {
    const [first, second] = await openTabs();
    const renewals = holds(REFRESH);
    const renewal = first.refresh();
    await expect.poll(() => renewals.length).toBe(1);
    const changes = holds(SIGN_IN);
    const change = signIn(second);
    await waits(WAIT_MS);
    await expect.poll(() => changes.length).toBe(1);
    server.answers(REFRESH, tokens("A"));
    changes[0]?.answer(problem(401, "invalid_challenge"));
    await expect(change).rejects.toMatchObject({ code: "invalid_challenge" });
    expect(await renewal).toEqual(FROM_BEFORE);
    expect([first.state, second.state]).toEqual([FROM_BEFORE, FROM_BEFORE]);
  });

  test("keeps renewals of other tabs waiting", async () => {
    const [first, second] = await openTabs({ hears: false });
    const changes = holds(SIGN_IN);
    const change = signIn(second);
    await expect.poll(() => changes.length).toBe(1);
    server.answers(REFRESH, tokens("B"));
    const renewal = first.refresh();
    await waits(WAIT_MS);
    expect(server.calls(REFRESH)).toEqual([]);
    changes[0]?.answer(tokens("B"));
    expect(await change).toEqual(NEW);
    expect(await renewal).toEqual(NEW);
  });

  test("is sent after 4 s, whatever a frozen tab holds", async () => {
    const [tab] = await openTabs();
    await freeze(jarLock(), "shared");
    server.answers(SIGN_IN, tokens("B"));
    const change = signIn(tab);
    await waits(WAIT_MS - 1);
    expect(server.calls(SIGN_IN)).toEqual([]);
    page.pass(1);
    expect(await change).toEqual(NEW);
  });

  test.each([
    ["another renewal", [renewalLock], 0],
    ["another sign-in", [jarLock], WAIT_MS],
    ["one and then the other", [renewalLock, jarLock], WAIT_MS],
  ])("does not wait for a renewal of its own tab that waits for %s", async (_, locks, ms) => {
    const [tab] = await openTabs();
    for (const lock of locks) await freeze(lock());
    const renewal = tab.refresh();
    await page.settle();
    server.answers(SIGN_IN, tokens("B"));
    const change = signIn(tab);
    // For the lock itself, which it then takes.
    await waits(ms);
    expect(await change).toEqual(NEW);
    expect(await renewal).toEqual(NEW);
    expect(server.calls(REFRESH)).toEqual([]);
  });
});

describe("a sign-in beside another change of the jar", () => {
  test("waits for a sign-out, whose late answer would empty the jar", async () => {
    const [first, second] = await openTabs();
    const signOuts = holds(SIGN_OUT);
    const signOut = first.signOut();
    await expect.poll(() => signOuts.length).toBe(1);
    server.answers(SIGN_IN, tokens("B"));
    server.answers("GET /api/auth/session", json({ actor_id: "G", session_id: "B", expires_in: 900 }));
    const change = signIn(second);
    await waits(2 * WAIT_MS);
    expect(server.calls(SIGN_IN)).toEqual([]);
    signOuts[0]?.answer(emptiedJar);
    expect((await signOut).status).toBe("signed-out");
    expect(await change).toEqual(NEW);
    await expect.poll(() => first.state).toEqual(NEW);
    expect(page.cookieNames()).toContain(COOKIES.refresh);
  });

  test("calls off one that takes longer than it may", async () => {
    const slow = await openTab({ hears: true, inFront: false });
    const tab = await openTab({ hears: true });
    const changes = holds(SIGN_IN);
    const givenUp = expect(signIn(slow)).rejects.toMatchObject({ code: "network_error" });
    await expect.poll(() => changes.length).toBe(1);
    const change = signIn(tab);
    await waits(CHANGE_OVER_MS - 1);
    expect(changes[0]?.isGivenUp).toBe(false);
    await waits(1);
    await givenUp;
    await expect.poll(() => changes.length).toBe(2);
    server.answers("GET /api/auth/session", json({ actor_id: "G", session_id: "B", expires_in: 900 }));
    changes[1]?.answer(tokens("B"));
    expect(await change).toEqual(NEW);
    await expect.poll(() => slow.state).toEqual(NEW);
  });
});

describe("a renewal", () => {
  test("waits for that of another tab", async () => {
    const [first, second] = await openTabs({ hears: false });
    const renewals = holds(REFRESH);
    const results = [first.refresh()];
    await expect.poll(() => renewals.length).toBe(1);
    results.push(second.refresh());
    await page.settle();
    expect(server.calls(REFRESH)).toHaveLength(1);
    server.answers(REFRESH, tokens("A"));
    renewals[0]?.answer(tokens("A"));
    expect(await Promise.all(results)).toEqual([FROM_BEFORE, FROM_BEFORE]);
    expect(server.calls(REFRESH)).toHaveLength(2);
  });

  test.each([
    ["renews", renewalLock, WAIT_MS],
    ["signs in", jarLock, CHANGE_OVER_MS],
  ])(
    "is kept waiting by a tab that froze while it %s, and no longer than it may take",
    async (_, lock, ms) => {
      const [tab] = await openTabs();
      await freeze(lock());
      server.answers(REFRESH, tokens("A"));
      const renewal = tab.refresh();
      await waits(ms - 1);
      expect(server.calls(REFRESH)).toEqual([]);
      page.pass(1);
      expect(await renewal).toEqual(FROM_BEFORE);
    },
  );
});

test("a tab that froze while it signed in keeps one renewal waiting, and a sign-in still calls off what renews", async () => {
  const [first, second] = await openTabs({ hears: false });
  await freeze(jarLock());
  const renewals = holds(REFRESH);
  const renewal = first.refresh();
  await waits(CHANGE_OVER_MS);
  await expect.poll(() => renewals.length).toBe(1);
  const changes = holds(SIGN_IN);
  const change = signIn(second);
  await waits(WAIT_MS);
  await expect.poll(() => changes.length).toBe(1);
  await expect.poll(() => renewals[0]?.isGivenUp).toBe(true);
  server.answers(REFRESH, tokens("B"));
  changes[0]?.answer(tokens("B"));
  expect(await change).toEqual(NEW);
  expect(await renewal).toEqual(NEW);
  expect(await second.refresh()).toEqual(NEW);
});

describe.each([
  ["missing", undefined],
  // As a sandboxed frame does, and, to see that nothing is stolen for it, gives one that is stolen.
  [
    "refused",
    {
      request: <T>(_: string, how: LockOptions) =>
        "steal" in how
          ? new Promise<T>(() => {})
          : Promise.reject<T>(new DOMException("no", "SecurityError")),
    },
  ],
])("where locks are %s, it is done without", (_, locks) => {
  const newTab = () =>
    createSessionClient({
      basePath: `${server.origin}/api/auth`,
      cookieName: "ws",
      fetch: page.fetch,
      environment: { ...page.environment, locks },
    });

  test("a renewal", async () => {
    server.answers(REFRESH, tokens("A"));
    expect(await newTab().refresh()).toEqual(FROM_BEFORE);
  });

  test("a sign-in", async () => {
    server.answers(SIGN_IN, tokens("B"));
    expect(await signIn(newTab())).toEqual(NEW);
  });
});
