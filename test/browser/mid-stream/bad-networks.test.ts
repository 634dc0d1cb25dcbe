// Networks that lose, hold up and replace answers while somebody watches a stream: nobody is signed out, and it flows on.
import { describe, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { storedSession } from "../../support/database.ts";
import { REFRESH_COOKIE } from "../../support/session-client.ts";
import { jarOf, sessionOf } from "../browser.ts";
import {
  accessHasEnded,
  eventually,
  expectNeverSignedOut,
  FETCHED_AHEAD,
  isForEvents,
  isRefresh,
  LEEWAY_MS,
  midStream,
  noRenewalUnderWay,
  seesItFlow,
  type Watch,
  watchStream,
} from "./mid-stream.ts";
import { answerHeld, answerLost, strangersPage, unreachable } from "./network.ts";

const here = midStream({}, { sideBySide: true });
const RECIPIENT = createWalletKeypair().account;

const generationOf = ({ sessionId }: Watch) => storedSession(here.app.server, sessionId).generation;
const refreshTokenOf = async ({ context }: Watch) => (await jarOf(context)).get(REFRESH_COOKIE)?.value;

/** The session goes on where it was: renewed again from here, seen by the page, and ended by nobody. */
async function expectToGoOn(watch: Watch): Promise<void> {
  const generation = generationOf(watch);
  await eventually(() => expect(generationOf(watch)).toBeGreaterThan(generation));
  await eventually(async () =>
    expect(await sessionOf(watch.page)).toMatchObject({ session_id: watch.sessionId }),
  );
  await seesItFlow(watch.page);
  expect(storedSession(here.app.server, watch.sessionId).revokedReason).toBeNull();
  await expectNeverSignedOut(watch);
}

describe.concurrent("a person who watches a stream is not signed out by", () => {
  test("answers to a renewal that are lost, again and again, for longer than the leeway", async () => {
    const watch = await watchStream(await here.visitor(), RECIPIENT, "Lost answers");
    const recover = watch.line.meddle(isRefresh, answerLost);
    const [jarBefore, generation] = [await refreshTokenOf(watch), generationOf(watch)];
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
    await expectToGoOn(watch);
  });

  test("an answer that comes when a newer one is already there", async () => {
    const watch = await watchStream(await here.visitor(), RECIPIENT, "Late answers");
    const arrives = Promise.withResolvers<void>();
    const generation = generationOf(watch);
    const before = watch.seen().length;
    const renewals = () => watch.seen().slice(before).filter(isRefresh);
    const recover = watch.line.meddle(isRefresh, answerHeld(arrives.promise));
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
    // Whoever had asked was no longer there to take it.
    expect(renewals()[0]?.status).toBeNull();
    await expectToGoOn(watch);
  });

  test.each([
    ["a captive portal that answers everything by a page of its own", 200],
    ["a proxy that refuses everything by a page of its own", 401],
  ])("%s, for longer than an access token lives", async (_, status) => {
    const visitor = await here.visitor({ mayComplainOf: FETCHED_AHEAD });
    const watch = await watchStream(visitor, RECIPIENT, `A ${status} of somebody's`);
    const recover = watch.line.meddle(() => true, strangersPage(status));
    watch.line.cut();
    await accessHasEnded(watch.context);
    await eventually(() =>
      expect(
        watch.seen().filter((one) => isRefresh(one) && one.status === status).length,
      ).toBeGreaterThanOrEqual(2),
    );
    await eventually(() =>
      expect(watch.seen().filter((one) => isForEvents(one) && one.status === status)).not.toEqual([]),
    );
    // What is asked for here is answered by the stranger too, and the page says so.
    await watch.page.getByRole("button", { name: "Pause" }).click();
    await watch.page.getByText("Nothing was changed. Something between this page and the server").waitFor();
    recover();
    await expectToGoOn(watch);
    await eventually(() => expect(watch.seen().findLast(isForEvents)?.status).toBe(200));
  });

  test("being offline for longer than an access token lives", async () => {
    const watch = await watchStream(await here.visitor(), RECIPIENT, "Offline");
    const recover = watch.line.meddle(() => true, unreachable);
    await watch.context.setOffline(true);
    watch.line.cut();
    await accessHasEnded(watch.context);
    await watch.page.getByText("Reconnecting…").waitFor();
    recover();
    await watch.context.setOffline(false);
    await watch.page.getByText("Reconnecting…").waitFor({ state: "detached" });
    await expectToGoOn(watch);
  });
});
