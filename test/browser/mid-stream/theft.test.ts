// Sessions that are ended on purpose, by an alarm or from another device: everything stops at once, and the page says why.
import { describe, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { type Answer, problemOf } from "../../support/http-client.ts";
import { ACCESS_COOKIE, bearer, REFRESH_COOKIE } from "../../support/session-client.ts";
import { jarOf } from "../browser.ts";
import { eventually, isRefresh, LEEWAY_MS, midStream, type Watch, watchStream } from "./mid-stream.ts";

const here = midStream({}, { sideBySide: true });
const RECIPIENT = createWalletKeypair().account;

/** What is promised. */
const AT_ONCE_MS = 1_000;
/** What comes on top where the machine does much else: the feed's message and the refresh that confirms it, each as slow. */
const TURNS = 2;

/** What a thief has who got hold of the browser's jar at this moment, and uses elsewhere. */
async function copyJar({ context }: Pick<Watch, "context">) {
  const jar = await jarOf(context);
  const of = (name: string) => jar.get(name)?.value ?? "";
  return { refreshToken: of(REFRESH_COOKIE), accessToken: of(ACCESS_COOKIE) };
}

/** Resolves when the page has renewed its session once more, and the jar has what came of it. */
async function renewedSince({ context, seen }: Watch): Promise<void> {
  const renewals = () => seen().filter((one) => isRefresh(one) && one.status === 200).length;
  const [before, { refreshToken }] = [renewals(), await copyJar({ context })];
  await eventually(() => expect(renewals()).toBeGreaterThan(before));
  await eventually(async () => expect((await copyJar({ context })).refreshToken).not.toBe(refreshToken));
}

/** The same, and the leeway of it is over. The next renewal comes no sooner than another three leeways later. */
async function renewedForGood(watch: Watch): Promise<void> {
  await renewedSince(watch);
  const renewedAt = Date.now();
  await eventually(() => expect(Date.now() - renewedAt).toBeGreaterThan(LEEWAY_MS));
}

const presentCookie = (refreshToken: string): Promise<Answer> =>
  here.app.client.send("POST", "/api/auth/refresh", {
    headers: { Origin: here.app.server.publicUrl, Cookie: `${REFRESH_COOKIE}=${refreshToken}` },
  });

/** An event stream of somebody who has the access token. */
async function eavesdrop(accessToken: string) {
  const response = await fetch(new URL("/api/events", here.app.server.address), {
    headers: { ...bearer(accessToken), Accept: "text/event-stream" },
  });
  expect(response.status).toBe(200);
  // Not before the test looks at it is a connection that breaks anybody's concern.
  const ended = response.text().then((text) => ({ text, at: Date.now() }));
  ended.catch(() => {});
  return { ended };
}

/** Resolves when the page says so, with how long after `since` it came into sight, by one and the same clock. */
async function seesEnd({ page, shown }: Watch, title: string, since: number): Promise<number> {
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
  // What the page tells of itself may come after what is seen of it from outside.
  const told = () => shown.find(({ text }) => text === title);
  await eventually(() => expect(told()).toBeDefined(), { interval: 20 });
  return (told()?.at ?? Number.NaN) - since;
}

/**
 * From now on measures how long a request and its answer take on this page, as everything else that happens there does. The
 * function returned gives the longest of them, in milliseconds.
 */
function measureTurns({ page }: Watch): () => Promise<number> {
  const measuring = page.evaluate(async () => {
    let longest = 0;
    while (Reflect.get(window, "turnsMeasured") !== true) {
      const begunAt = performance.now();
      await fetch("/api/healthz", { cache: "no-store" });
      longest = Math.max(longest, performance.now() - begunAt);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return Math.round(longest);
  });
  return async () => {
    await page.evaluate(() => Reflect.set(window, "turnsMeasured", true));
    return measuring;
  };
}

function expectAtOnce(what: string, ms: number, turnMs: number): void {
  console.log(`${what} after ${ms} ms, while a request took up to ${turnMs} ms`);
  expect(ms).toBeLessThan(AT_ONCE_MS + TURNS * turnMs);
}

describe.concurrent("everything stops within a second, and the page says why, when", () => {
  test("a copy of a spent token is used elsewhere", async () => {
    const watch = await watchStream(await here.visitor(), RECIPIENT, "Stolen, used late");
    const stolen = await copyJar(watch);
    await renewedForGood(watch);
    const { accessToken } = await copyJar(watch);
    const { ended } = await eavesdrop(accessToken);

    const longestTurn = measureTurns(watch);
    const reuse = await presentCookie(stolen.refreshToken);
    const answeredAt = Date.now();
    expect(problemOf(reuse)).toBe("401 refresh_token_reused");
    const shownAfter = await seesEnd(watch, "This session was ended to protect you.", answeredAt);
    const { text, at } = await ended;
    expect(text).toMatch(/event: session\.ended\ndata: \{"code":"refresh_token_reused"\}\s*$/);
    const turnMs = await longestTurn();
    expectAtOnce("The owner's page says so", shownAfter, turnMs);
    expectAtOnce("The thief's events end", at - answeredAt, turnMs);
    expect(problemOf(await here.app.client.list(accessToken))).toBe("401 session_revoked");
    expect(await jarOf(watch.context)).toEqual(new Map());
  });

  test("a copy was used first, and the owner's browser renews", async () => {
    const watch = await watchStream(await here.visitor(), RECIPIENT, "Stolen, used first");
    // The owner's next renewal comes when the leeway of the thief's is long over, and long before the thief's token ends.
    await renewedForGood(watch);
    const stolen = await copyJar(watch);
    const theft = await presentCookie(stolen.refreshToken);
    expect(theft.status).toBe(200);
    const thiefs = /__Host-ws_access=([^;]+)/.exec(theft.setCookies.join())?.[1] ?? "";
    const { ended } = await eavesdrop(thiefs);

    const longestTurn = measureTurns(watch);
    const refused = () => watch.seen().find((one) => isRefresh(one) && one.status === 401);
    await eventually(() => expect(refused()).toBeDefined(), { interval: 20 });
    const answeredAt = Date.now();
    const shownAfter = await seesEnd(watch, "This session was ended to protect you.", answeredAt);
    const { text, at } = await ended;
    expect(text).toMatch(/event: session\.ended\ndata: \{"code":"refresh_token_reused"\}\s*$/);
    const turnMs = await longestTurn();
    expectAtOnce("The owner's page says so", shownAfter, turnMs);
    expectAtOnce("The thief's events end", at - answeredAt, turnMs);
    expect(problemOf(await here.app.client.list(thiefs))).toBe("401 session_revoked");
  });

  test("the session is ended from another device", async () => {
    const key = createWalletKeypair();
    const watch = await watchStream(await here.visitor({ walletOf: key }), RECIPIENT, "Ended elsewhere");
    const { accessToken } = await here.app.client.signIn(key);
    const longestTurn = measureTurns(watch);
    const end = await here.app.client.send("DELETE", `/api/auth/sessions/${watch.sessionId}`, {
      headers: bearer(accessToken),
    });
    const answeredAt = Date.now();
    expect(end.status).toBe(204);
    const shownAfter = await seesEnd(watch, "This session was ended.", answeredAt);
    expectAtOnce("The page says so", shownAfter, await longestTurn());
    expect(await jarOf(watch.context)).toEqual(new Map());
  });
});
