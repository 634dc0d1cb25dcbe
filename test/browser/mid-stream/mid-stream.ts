import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, vi } from "vitest";
import type { Settings } from "../../support/app-server.ts";
import { type App, appUnderTest } from "../../support/app-under-test.ts";
import { ACCESS_COOKIE, REFRESH_COOKIE } from "../../support/cookies.ts";
import { storedSession } from "../../support/database.ts";
import { generationOf } from "../../support/session-client.ts";
import {
  browserUnderTest,
  createStream,
  jarOf,
  lookAgain,
  type OpenOptions,
  sessionOf,
  signInToStreams,
} from "../browser.ts";
import { rememberShown, type Shown } from "../shown.ts";
import { type Line, type Network, openNetwork, type SeenRequest } from "./network.ts";

export const LEEWAY_MS = 2_000;
export const ACCESS_TTL_MS = 8_000;

/** A lifetime of an access token passes while a test runs. */
const SHORT_LIVED: Settings = { ACCESS_TOKEN_TTL: "8s", REFRESH_LEEWAY: "2s" };

/** Many pages at once are slow on a busy machine. Nothing here waits that long where all is well. */
const PATIENCE_MS = 90_000;
const TEST_LIMIT_MS = 300_000;

/** For conditions that a renewal or two bring about on a busy machine. */
const WITHIN = { timeout: 60_000, interval: 100 };

/** Resolves with what `claim` gives when it no longer throws. Unlike `expect.poll` it may be used where tests run side by side. */
export function eventually<T>(claim: () => T | Promise<T>, within: Partial<typeof WITHIN> = {}): Promise<T> {
  return vi.waitFor(claim, { ...WITHIN, ...within });
}

export const isRefresh = ({ method, path }: Pick<SeenRequest, "method" | "path">): boolean =>
  method === "POST" && path === "/api/auth/refresh";
export const isSignIn = ({ method, path }: SeenRequest): boolean =>
  method === "POST" && path === "/api/auth/wallet";
export const isForEvents = ({ isForEvents }: SeenRequest): boolean => isForEvents;

/** What a page complains of when a stranger answers what it fetches ahead, which it may do at any moment. */
export const FETCHED_AHEAD = /[?&]_rsc=/;

/** Somebody's own browser, with an empty jar, and its line to the server. */
export interface Visitor {
  readonly context: BrowserContext;
  readonly line: Line;
}

export interface MidStream {
  readonly app: App;
  visitor(options?: OpenOptions): Promise<Visitor>;
}

/**
 * A server whose access tokens last 8 seconds, browsers, and a network between them that tests can spoil for each browser
 * by itself. `sideBySide`: where the tests of the file run at the same time.
 */
export function midStream(settings: Settings = {}, { sideBySide = false } = {}): MidStream {
  let network: Network | null = null;
  const opened = (): Network => {
    if (network === null) throw new Error("The network has not been opened yet.");
    return network;
  };
  beforeAll(async () => {
    network = await openNetwork(() => app.server.address);
  });
  afterAll(() => network?.close());
  const app = appUnderTest(() => ({ ...SHORT_LIVED, PUBLIC_URL: opened().url, ...settings }));
  const browser = browserUnderTest(app, { sideBySide, patienceMs: PATIENCE_MS });
  vi.setConfig({ testTimeout: TEST_LIMIT_MS });
  return {
    app,
    async visitor(options) {
      const line = opened().line();
      return { line, context: await browser.open({ ...options, extraHTTPHeaders: line.headers }) };
    },
  };
}

/** Also where a busy machine took so long that a renewal is due. */
export function sessionIdOf(page: Page): Promise<string> {
  return eventually(async () => {
    const session = await sessionOf(page);
    expect(session).toHaveProperty("session_id");
    return session.session_id;
  });
}

/**
 * Resolves when no renewal is on its way, and the jar holds the token that the server has given last. What a test does to
 * the next renewal does not meet half of an earlier one.
 */
export async function noRenewalUnderWay({ page, context, line }: Pick<Watch, "page" | "context" | "line">) {
  await eventually(async () => {
    const held = (await jarOf(context)).get(REFRESH_COOKIE)?.value ?? "";
    expect(await sessionOf(page)).toHaveProperty("generation", generationOf(held));
    expect(line.seen.filter((one) => isRefresh(one) && !one.isOver)).toEqual([]);
  });
}

/** Makes a page renew its session now: its access token is gone, and it looks. */
export async function renewNow(page: Page): Promise<void> {
  await page.context().clearCookies({ name: ACCESS_COOKIE });
  await lookAgain(page);
}

export interface Watch extends Visitor {
  readonly page: Page;
  readonly title: string;
  readonly sessionId: string;
  /** All that the stream's page has shown since it was opened, and any page opened later. */
  readonly shown: Shown[];
  /** What has come by since. */
  seen(): readonly SeenRequest[];
}

/** Signs in, and watches a stream of one's own: a unit each second for an hour. No renewal is under way at the end. */
export async function watchStream(visitor: Visitor, recipient: string, title: string): Promise<Watch> {
  const page = await signInToStreams(visitor.context);
  const wish = { recipient, deposit: "3600", duration_seconds: 3_600, title, start: true };
  // A busy machine may take longer to come here than the first access token lives.
  const id = await eventually(() => createStream(page, wish));
  const shown = await rememberShown(visitor.context);
  const before = visitor.line.seen.length;
  await page.goto(`/streams/${id}`);
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
  const sessionId = await sessionIdOf(page);
  await noRenewalUnderWay({ ...visitor, page });
  return { ...visitor, page, title, sessionId, shown, seen: () => visitor.line.seen.slice(before) };
}

/** How many event streams the page has asked for. */
export const eventStreams = (watch: Watch): number => watch.seen().filter(isForEvents).length;

/** Resolves with how many event streams there were so far, when the last one is open. */
export async function hearsEvents(watch: Watch): Promise<number> {
  await eventually(() =>
    expect(watch.seen().findLast(isForEvents)).toMatchObject({ status: 200, isOver: false }),
  );
  return eventStreams(watch);
}

/** The streamed amount that the page shows large, in units. */
async function amountShown(page: Page): Promise<number> {
  const text = await page.getByRole("region", { name: "Streamed to the recipient" }).textContent();
  return Number(/\d+\.\d{7}/.exec(text ?? "")?.[0]);
}

/**
 * Resolves when the page's amount moves on, as that of an open stream does each second: from one look to the next, since a
 * page that has slept shows too much until it has the server's time again.
 */
export async function seesItFlow(page: Page): Promise<void> {
  let last = await amountShown(page);
  await eventually(async () => {
    const before = last;
    last = await amountShown(page);
    expect(last).toBeGreaterThan(before);
  });
}

/** What a page says to those who are not signed in, or not any more. */
const SIGNED_OUT = /signed out|not signed in|session (?:was ended|has run out|is not known)|^Sign in/i;

/** Since the stream's page was opened, no page has shown that anybody is signed out, and nobody has signed again. */
export async function expectNeverSignedOut(watch: Watch): Promise<void> {
  expect(watch.shown.filter(({ text }) => SIGNED_OUT.test(text))).toEqual([]);
  expect(watch.line.seen.filter(isSignIn)).toHaveLength(1);
  expect(await sessionIdOf(watch.page)).toBe(watch.sessionId);
}

/** The session goes on where it was: renewed again from here, over open events, seen by the page, and ended by nobody. */
export async function expectToGoOn({ app }: MidStream, watch: Watch): Promise<void> {
  const stored = () => storedSession(app.server, watch.sessionId);
  const { generation } = stored();
  await eventually(() => expect(stored().generation).toBeGreaterThan(generation));
  await eventually(async () =>
    expect(await sessionOf(watch.page)).toMatchObject({ session_id: watch.sessionId }),
  );
  await eventually(() => expect(watch.seen().findLast(isForEvents)?.status).toBe(200));
  await seesItFlow(watch.page);
  expect(stored().revokedReason).toBeNull();
  await expectNeverSignedOut(watch);
}

/** When the access token in the jar ends, by the machine's clock. */
export async function accessEndsAt(context: BrowserContext): Promise<number> {
  const [, claims = ""] = (await jarOf(context)).get(ACCESS_COOKIE)?.value.split(".") ?? [];
  return JSON.parse(Buffer.from(claims, "base64url").toString()).exp * 1_000;
}

/** Resolves when the access token that is in the jar now has ended, renewed or not. */
export async function accessHasEnded(context: BrowserContext): Promise<void> {
  await isPast(await accessEndsAt(context));
}

/** Resolves when the machine's clock is past this moment. */
export async function isPast(at: number): Promise<void> {
  await eventually(() => expect(Date.now()).toBeGreaterThan(at), {
    timeout: WITHIN.timeout + at - Date.now(),
  });
}
