// Sessions that are ended on purpose, by an alarm or from another device: everything stops at once, and the page says why.
import { describe, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { ACCESS_COOKIE, REFRESH_COOKIE } from "../../support/cookies.ts";
import { type Answer, problemOf } from "../../support/http-client.ts";
import { bearer, jarWith } from "../../support/session-client.ts";
import { jarOf } from "../browser.ts";
import {
  eventually,
  isPast,
  isRefresh,
  LEEWAY_MS,
  midStream,
  renewNow,
  type Watch,
  watchStream,
} from "./mid-stream.ts";
import type { Mishap } from "./network.ts";

const here = midStream({}, { sideBySide: true });
const RECIPIENT = createWalletKeypair().account;

/** What a thief has who got hold of the browser's jar at this moment, and uses elsewhere. */
async function copyJar({ context }: Pick<Watch, "context">) {
  const jar = await jarOf(context);
  const of = (name: string) => jar.get(name)?.value ?? "";
  return { refreshToken: of(REFRESH_COOKIE), accessToken: of(ACCESS_COOKIE) };
}

/** Makes the page renew its session. Resolves when the jar has what came of it, and the token before is spent for good. */
async function renewedForGood(watch: Watch): Promise<void> {
  const { refreshToken } = await copyJar(watch);
  await renewNow(watch.page);
  await eventually(async () => expect((await copyJar(watch)).refreshToken).not.toBe(refreshToken));
  await isPast(Date.now() + LEEWAY_MS);
}

/** Holds the request back until `released` resolves. */
function heldBack(released: Promise<void>): Mishap {
  return async ({ forward, deliver }) => {
    await released;
    deliver(await forward());
  };
}

const presentCookie = (refreshToken: string): Promise<Answer> =>
  here.app.client.send("POST", "/api/auth/refresh", {
    headers: { Origin: here.app.server.publicUrl, Cookie: jarWith(refreshToken) },
  });

/** What is told to somebody who has the access token, on an event stream, until the server ends it. */
async function eavesdrop(accessToken: string): Promise<{ told: Promise<string> }> {
  const response = await fetch(new URL("/api/events", here.app.server.address), {
    headers: { ...bearer(accessToken), Accept: "text/event-stream" },
  });
  expect(response.status).toBe(200);
  const told = response.text();
  // A connection that breaks concerns nobody before the test looks at it.
  told.catch(() => {});
  return { told };
}

const seesEnd = ({ page }: Watch, title: string) =>
  page.getByRole("heading", { level: 1, name: title }).waitFor();

const REUSE_TOLD = /event: session\.ended\ndata: \{"code":"refresh_token_reused"\}\s*$/;

describe.concurrent("everything stops at once, and the page says why, when", () => {
  test("a copy of a spent token is used elsewhere", async () => {
    const watch = await watchStream(await here.visitor(), RECIPIENT, "Stolen, used late");
    const stolen = await copyJar(watch);
    await renewedForGood(watch);
    const { accessToken } = await copyJar(watch);
    const { told } = await eavesdrop(accessToken);

    expect(problemOf(await presentCookie(stolen.refreshToken))).toBe("401 refresh_token_reused");
    await seesEnd(watch, "This session was ended to protect you.");
    expect(await told).toMatch(REUSE_TOLD);
    expect(problemOf(await here.app.client.list(accessToken))).toBe("401 session_revoked");
    expect(await jarOf(watch.context)).toEqual(new Map());
  });

  test("a copy was used first, and the owner's browser renews", async () => {
    const watch = await watchStream(await here.visitor(), RECIPIENT, "Stolen, used first");
    // The owner's next renewal comes when the leeway of the thief's is over.
    const leewayIsOver = Promise.withResolvers<void>();
    const before = watch.line.seen.filter(isRefresh);
    watch.line.meddle(isRefresh, heldBack(leewayIsOver.promise));
    await eventually(() => expect(before.filter(({ isOver }) => !isOver)).toEqual([]));
    const stolen = await copyJar(watch);
    const theft = await presentCookie(stolen.refreshToken);
    expect(theft.status).toBe(200);
    const thiefs = new RegExp(`${ACCESS_COOKIE}=([^;]+)`).exec(theft.setCookies.join())?.[1] ?? "";
    const { told } = await eavesdrop(thiefs);
    await isPast(Date.now() + LEEWAY_MS);

    leewayIsOver.resolve();
    await renewNow(watch.page);
    await eventually(() =>
      expect(watch.seen().filter((one) => isRefresh(one) && one.status === 401)).not.toEqual([]),
    );
    await seesEnd(watch, "This session was ended to protect you.");
    expect(await told).toMatch(REUSE_TOLD);
    expect(problemOf(await here.app.client.list(thiefs))).toBe("401 session_revoked");
  });

  test("the session is ended from another device", async () => {
    const key = createWalletKeypair();
    const watch = await watchStream(await here.visitor({ walletOf: key }), RECIPIENT, "Ended elsewhere");
    const { accessToken } = await here.app.client.signIn(key);
    const end = await here.app.client.send("DELETE", `/api/auth/sessions/${watch.sessionId}`, {
      headers: bearer(accessToken),
    });
    expect(end.status).toBe(204);
    await seesEnd(watch, "This session was ended.");
    expect(await jarOf(watch.context)).toEqual(new Map());
  });
});
