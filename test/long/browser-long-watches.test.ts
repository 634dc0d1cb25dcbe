// An hour's work in small: access tokens of 20 seconds, and people who watch for many of their lives.
import { describe, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import {
  eventually,
  expectNeverSignedOut,
  isForEvents,
  isPast,
  midStream,
  seesItFlow,
  watchStream,
} from "../browser/mid-stream/mid-stream.ts";
import { settleAll } from "../browser/mid-stream/settle-all.ts";
import { storedSession } from "../support/database.ts";

const ACCESS_TTL_MS = 20_000;
const LIFETIMES = 5;

/** 1,000 payment streams take more than two minutes at this pace. */
const here = midStream(
  { ACCESS_TOKEN_TTL: "20s", REFRESH_LEEWAY: "3s", SETTLEMENTS_PER_SECOND: "8" },
  { sideBySide: true },
);

const generationOf = (sessionId: string) => storedSession(here.app.server, sessionId).generation;

describe.concurrent("signed in once,", () => {
  test("a stream is watched for five lifetimes of an access token, without a gap", async () => {
    const recipient = createWalletKeypair().account;
    const watch = await watchStream(await here.visitor(), recipient, "Five lifetimes");
    const generation = generationOf(watch.sessionId);
    await eventually(() => expect(watch.seen().filter(isForEvents).length).toBe(1));
    await isPast(Date.now() + LIFETIMES * ACCESS_TTL_MS);

    await seesItFlow(watch.page);
    expect(generationOf(watch.sessionId) - generation).toBeGreaterThanOrEqual(LIFETIMES);
    // Each token opens one connection, and takes it along when it ends. One may just be under way.
    await eventually(() => expect(watch.seen().findLast(isForEvents)?.status).toBe(200));
    const connections = watch.seen().filter(isForEvents);
    expect(connections.length).toBeGreaterThan(1);
    expect(connections.length).toBeLessThanOrEqual(LIFETIMES + 2);
    expect(connections.map(({ status }) => status)).toEqual(connections.map(() => 200));
    // Not one request met a token that had ended.
    expect(watch.seen().filter(({ status }) => status === 401)).toEqual([]);
    expect(watch.shown.filter(({ text }) => text === "Reconnecting…")).toEqual([]);
    // Each second's amount, or nearly: a busy machine leaves some out.
    const amounts = new Set(watch.shown.flatMap(({ text }) => /^(\d+\.\d{7})/.exec(text)?.[1] ?? []));
    expect(amounts.size).toBeGreaterThan((LIFETIMES * ACCESS_TTL_MS) / 2_000);
    await expectNeverSignedOut(watch);
  });

  test("1,000 streams are settled for two minutes, through six expiries, and each is settled once", async () => {
    const { tookMs, renewals } = await settleAll(here, 1_000);
    expect(tookMs).toBeGreaterThan(6 * ACCESS_TTL_MS);
    expect(renewals).toBeGreaterThanOrEqual(6);
  });
});
