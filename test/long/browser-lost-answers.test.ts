// Networks that lose and hold up answers while somebody watches a payment stream: nobody is signed out, and it flows on.
import { describe, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { jarOf } from "../browser/browser.ts";
import {
  eventually,
  expectToGoOn,
  isRefresh,
  LEEWAY_MS,
  midStream,
  noRenewalUnderWay,
  renewNow,
  seesItFlow,
  type Watch,
  watchStream,
} from "../browser/mid-stream/mid-stream.ts";
import { answerHeld, answerLost } from "../browser/mid-stream/network.ts";
import { REFRESH_COOKIE } from "../support/cookies.ts";
import { storedSession } from "../support/database.ts";

const here = midStream({}, { sideBySide: true });
const RECIPIENT = createWalletKeypair().account;

const generationOf = ({ sessionId }: Watch) => storedSession(here.app.server, sessionId).generation;
const refreshTokenOf = async ({ context }: Watch) => (await jarOf(context)).get(REFRESH_COOKIE)?.value;

describe.concurrent("a person who watches a stream is not signed out by", () => {
  test("answers to a renewal that are lost, again and again, for longer than the leeway", async () => {
    const watch = await watchStream(await here.visitor(), RECIPIENT, "Lost answers");
    const recover = watch.line.meddle(isRefresh, answerLost);
    const [jarBefore, generation] = [await refreshTokenOf(watch), generationOf(watch)];
    await renewNow(watch.page);
    const lost = () => watch.seen().filter((one) => isRefresh(one) && one.status === null);
    await eventually(() => expect(lost()).not.toEqual([]));
    const [first] = lost();
    await eventually(() =>
      expect((lost().at(-1)?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(2 * LEEWAY_MS),
    );
    // The server renewed at the first; the others asked for the same again.
    expect(generationOf(watch)).toBe(generation + 1);
    expect(await refreshTokenOf(watch)).toBe(jarBefore);
    recover();
    await eventually(async () => expect(await refreshTokenOf(watch)).not.toBe(jarBefore));
    await expectToGoOn(here, watch);
  });

  test("an answer that comes when a newer one is already there", async () => {
    const watch = await watchStream(await here.visitor(), RECIPIENT, "Late answers");
    const arrives = Promise.withResolvers<void>();
    const generation = generationOf(watch);
    const before = watch.seen().length;
    const renewals = () => watch.seen().slice(before).filter(isRefresh);
    const recover = watch.line.meddle(isRefresh, answerHeld(arrives.promise));
    await renewNow(watch.page);
    await eventually(() => expect(renewals().length).toBeGreaterThanOrEqual(1));
    recover();
    // Given up in time, asked for again, and renewed once more since.
    await eventually(() => expect(generationOf(watch)).toBeGreaterThanOrEqual(generation + 2));
    await eventually(() => expect(renewals().at(-1)?.status).toBe(200));
    await noRenewalUnderWay(watch);
    const newer = await refreshTokenOf(watch);
    arrives.resolve();
    await seesItFlow(watch.page);
    expect(await refreshTokenOf(watch)).toBe(newer);
    // The request was given up: nobody takes its answer.
    expect(renewals()[0]?.status).toBeNull();
    await expectToGoOn(here, watch);
  });
});
