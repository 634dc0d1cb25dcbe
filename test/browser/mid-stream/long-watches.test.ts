// An hour's work in small: access tokens of 20 seconds, and people who watch for many of their lives.
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { storedSession } from "../../support/database.ts";
import { signInToStreams } from "../browser.ts";
import {
  ACCESS_TTL_MS,
  accessHasEnded,
  eventually,
  expectNeverSignedOut,
  isForEvents,
  isSignIn,
  midStream,
  seesItFlow,
  sessionIdOf,
  watchStream,
} from "./mid-stream.ts";

/** 1,000 streams take two minutes and some at this pace. */
const here = midStream({ SETTLEMENTS_PER_SECOND: "8" }, { sideBySide: true });
const RECIPIENT = createWalletKeypair().account;

const LIFETIMES = 5;
const STREAMS = 1_000;
const STREAMS_AT_ONCE = 20;
const LONG = { timeout: 280_000, interval: 1_000 };

const generationOf = (sessionId: string) => storedSession(here.app.server, sessionId).generation;

describe.concurrent("signed in once,", () => {
  test("a stream is watched for five lifetimes of an access token over one connection", async () => {
    const watch = await watchStream(await here.visitor(), RECIPIENT, "Five lifetimes");
    const generation = generationOf(watch.sessionId);
    const begun = Date.now();
    await eventually(() => expect(watch.seen().filter(isForEvents).length).toBe(1));
    await eventually(
      () => expect(Date.now() - begun).toBeGreaterThanOrEqual(LIFETIMES * ACCESS_TTL_MS),
      LONG,
    );

    await seesItFlow(watch.page);
    expect(generationOf(watch.sessionId) - generation).toBeGreaterThanOrEqual(LIFETIMES);
    expect(watch.seen().filter(isForEvents)).toMatchObject([{ status: 200 }]);
    // Not one request met a token that had ended.
    expect(watch.seen().filter(({ status }) => status === 401)).toEqual([]);
    expect(watch.shown.filter(({ text }) => text === "Reconnecting…")).toEqual([]);
    // Each second's amount, or nearly: a busy machine leaves some out.
    const amounts = new Set(watch.shown.flatMap(({ text }) => /^(\d+\.\d{7})/.exec(text)?.[1] ?? []));
    expect(amounts.size).toBeGreaterThan((LIFETIMES * ACCESS_TTL_MS) / 2_000);
    await expectNeverSignedOut(watch);
  });

  test("1,000 streams are settled for two minutes, through six expiries, and each is settled once", async () => {
    const visitor = await here.visitor();
    const page = await signInToStreams(visitor.context);
    await startStreams(page);
    await page.reload();
    await page.getByRole("button", { name: "Settle all" }).click();
    await page.getByRole("heading", { level: 1, name: "Settling 1,000 streams" }).waitFor();
    const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    const sessionId = await sessionIdOf(page);
    await page.getByRole("heading", { level: 1, name: "Settled 1,000 streams" }).waitFor(LONG);

    const operation = await read(page, `/api/operations/${id}`);
    // By the server's clock: however late the page has come to show that it has begun.
    const tookMs = Date.parse(operation.finished_at) - Date.parse(operation.created_at);
    expect(tookMs).toBeGreaterThan(6 * ACCESS_TTL_MS);
    expect(operation).toMatchObject({ status: "completed", total: STREAMS, done: STREAMS, skipped: 0 });
    const streams = await allStreams(page);
    expect(streams).toHaveLength(STREAMS);
    for (const { settled, refunded, remaining, deposited } of streams) {
      expect(stroops(settled)).toBeGreaterThan(0n);
      expect(stroops(settled) + stroops(refunded) + stroops(remaining)).toBe(stroops(deposited));
    }
    const sum = streams.reduce((all, { settled }) => all + stroops(settled), 0n);
    expect(sum).toBe(stroops(operation.settled_amount));
    // The hundredth of them, from near and far, tell of one settlement each.
    for (const stream of streams.filter((_, n) => n % 100 === 0)) {
      const { history, settled } = await read(page, `/api/streams/${stream.id}`);
      const settlements = history.filter(({ type }: { type: string }) => type === "settled");
      expect(settlements).toMatchObject([{ operation_id: id, amount: settled }]);
    }
    expect(visitor.line.seen.filter(isSignIn)).toHaveLength(1);
    expect(generationOf(sessionId)).toBeGreaterThanOrEqual(7);
    expect(storedSession(here.app.server, sessionId).revokedReason).toBeNull();
  });

  test("a laptop that sleeps for an hour wakes to the same session and the same stream", async () => {
    const visitor = await here.visitor();
    await visitor.context.clock.install();
    const watch = await watchStream(visitor, RECIPIENT, "Asleep for an hour");
    await eventually(() => expect(watch.seen().filter(isForEvents).length).toBe(1));
    // Nothing runs in the page while the token ends for good, and the server ends its events for want of a renewal.
    // The page's clock runs on until this reaches it, and cannot be stopped at a time that is past.
    await visitor.context.clock.pauseAt(Date.now() + 10_000);
    await accessHasEnded(visitor.context);
    const generation = generationOf(watch.sessionId);
    await visitor.context.clock.fastForward("01:00:00");
    await visitor.context.clock.resume();

    await eventually(() => expect(generationOf(watch.sessionId)).toBeGreaterThan(generation));
    await eventually(() => expect(watch.seen().findLast(isForEvents)?.status).toBe(200));
    await seesItFlow(watch.page);
    await expectNeverSignedOut(watch);
    expect(storedSession(here.app.server, watch.sessionId).revokedReason).toBeNull();
  });
});

/** What the app's API answers to the page. */
function read(page: Page, path: string) {
  return page.evaluate(async (path) => (await fetch(path, { cache: "no-store" })).json(), path);
}

/** Starts all the streams from the page, some at a time. */
async function startStreams(page: Page): Promise<void> {
  const statuses = await page.evaluate(
    async ({ recipient, count, atOnce }) => {
      const wish = { recipient, deposit: "3600", duration_seconds: 3_600, start: true };
      const init = {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(wish),
      };
      const statuses = new Set<number>();
      const startSome = async () => {
        for (let n = 0; n < count / atOnce; n++) statuses.add((await fetch("/api/streams", init)).status);
      };
      await Promise.all(Array.from({ length: atOnce }, startSome));
      return [...statuses];
    },
    { recipient: RECIPIENT, count: STREAMS, atOnce: STREAMS_AT_ONCE },
  );
  expect(statuses).toEqual([201]);
}

interface StreamJson {
  readonly id: string;
  readonly deposited: string;
  readonly settled: string;
  readonly refunded: string;
  readonly remaining: string;
}

async function allStreams(page: Page): Promise<StreamJson[]> {
  const streams: StreamJson[] = [];
  for (let cursor = ""; ; ) {
    const answer = await read(page, `/api/streams?limit=100${cursor}`);
    streams.push(...answer.streams);
    if (answer.next_cursor === null) return streams;
    cursor = `&cursor=${encodeURIComponent(answer.next_cursor)}`;
  }
}

/** Amounts have seven digits after the point, always. */
const stroops = (amount: string): bigint => BigInt(amount.replace(".", ""));
