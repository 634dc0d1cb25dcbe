import type { Page } from "playwright-core";
import { expect } from "vitest";
import { storedSession } from "../../support/database.ts";
import { seedStreams } from "../../support/streams.ts";
import { seesStreams, signInToStreams } from "../browser.ts";
import { eventually, isSignIn, type MidStream, sessionIdOf } from "./mid-stream.ts";

const SETTLED_WITHIN = { timeout: 280_000 };

/**
 * Signs in, with so many payment streams under way, a multiple of ten, and settles all of them from the page until it says that they
 * are settled: each once, with the sums exact, by one sign-in. Resolves with how long the server took for that, and
 * how often the session was renewed.
 */
export async function settleAll(
  here: MidStream,
  count: number,
): Promise<{ tookMs: number; renewals: number }> {
  const visitor = await here.visitor();
  const page = await signInToStreams(visitor.context);
  await seedStreams(here.app.server, (await read(page, "/api/auth/session")).actor_id, count);
  await page.reload();
  await seesStreams(page);
  const streamsOf = count.toLocaleString("en");
  await page.getByRole("button", { name: "Settle all" }).click();
  await page.getByRole("heading", { level: 1, name: `Settling ${streamsOf} streams` }).waitFor();
  const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  const sessionId = await sessionIdOf(page);
  const { generation } = storedSession(here.app.server, sessionId);
  await page.getByRole("heading", { level: 1, name: `Settled ${streamsOf} streams` }).waitFor(SETTLED_WITHIN);

  const operation = await read(page, `/api/operations/${id}`);
  expect(operation).toMatchObject({ status: "completed", total: count, done: count, skipped: 0 });
  const streams = await allStreams(page);
  expect(streams).toHaveLength(count);
  for (const { settled, refunded, remaining, deposited } of streams) {
    expect(stroops(settled)).toBeGreaterThan(0n);
    expect(stroops(settled) + stroops(refunded) + stroops(remaining)).toBe(stroops(deposited));
  }
  const sum = streams.reduce((all, { settled }) => all + stroops(settled), 0n);
  expect(sum).toBe(stroops(operation.settled_amount));
  // Ten of them, from near and far, tell of one settlement each.
  for (const stream of streams.filter((_, n) => n % (count / 10) === 0)) {
    const { history, settled } = await read(page, `/api/streams/${stream.id}`);
    const settlements = history.filter(({ type }: { type: string }) => type === "settled");
    expect(settlements).toMatchObject([{ operation_id: id, amount: settled }]);
  }
  expect(visitor.line.seen.filter(isSignIn)).toHaveLength(1);
  const stored = storedSession(here.app.server, sessionId);
  expect(stored.revokedReason).toBeNull();
  return {
    // By the server's clock: however late the page has come to show that it has begun.
    tookMs: Date.parse(operation.finished_at) - Date.parse(operation.created_at),
    renewals: stored.generation - generation,
  };
}

/** What the app's API answers to the page, also where a renewal is due first. */
function read(page: Page, path: string) {
  return eventually(async () => {
    const { status, json } = await page.evaluate(async (path) => {
      const answer = await fetch(path, { cache: "no-store" });
      return { status: answer.status, json: await answer.json() };
    }, path);
    expect(status).toBe(200);
    return json;
  });
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
