// People who watch a payment stream for longer than their access token lives, awake or asleep. For many of its lives:
// test/long/browser-long-watches.test.ts.
import { describe, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { storedSession } from "../../support/database.ts";
import {
  accessEndsAt,
  accessHasEnded,
  eventually,
  expectNeverSignedOut,
  isForEvents,
  isPast,
  midStream,
  noRenewalUnderWay,
  renewNow,
  seesItFlow,
  watchStream,
} from "./mid-stream.ts";

const here = midStream({}, { sideBySide: true });
const RECIPIENT = createWalletKeypair().account;

const generationOf = (sessionId: string) => storedSession(here.app.server, sessionId).generation;

describe.concurrent("signed in once,", () => {
  test("a stream is watched past the end of the access token that its connection was opened with", async () => {
    const watch = await watchStream(await here.visitor(), RECIPIENT, "Past its token");
    const events = () => watch.seen().findLast(isForEvents);
    const hears = () => eventually(() => expect(events()).toMatchObject({ status: 200, isOver: false }));
    await hears();
    const generation = generationOf(watch.sessionId);
    const endsAt = await accessEndsAt(watch.context);
    await renewNow(watch.page);
    await isPast(endsAt);

    await seesItFlow(watch.page);
    expect(generationOf(watch.sessionId)).toBeGreaterThan(generation);
    // By the same connection, or by the next one: a connection outlives its token by two leeways.
    await hears();
    await expectNeverSignedOut(watch);
  });

  test("a laptop that sleeps for an hour wakes to the same session and the same stream", async () => {
    const visitor = await here.visitor();
    await visitor.context.clock.install();
    const watch = await watchStream(visitor, RECIPIENT, "Asleep for an hour");
    await eventually(() => expect(watch.seen().findLast(isForEvents)?.status).toBe(200));
    // Nothing runs in the page while the token ends for good, and the server ends its events for want of a renewal.
    // The page's clock runs on until this reaches it, and cannot be stopped at a time that is past.
    await visitor.context.clock.pauseAt(Date.now() + 10_000);
    await noRenewalUnderWay(watch);
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
