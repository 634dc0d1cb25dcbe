// Networks that replace all answers while somebody watches a payment stream: nobody is signed out, and it flows on.
import { describe, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import {
  accessHasEnded,
  eventually,
  expectToGoOn,
  FETCHED_AHEAD,
  isForEvents,
  isRefresh,
  midStream,
  watchStream,
} from "./mid-stream.ts";
import { type SeenRequest, strangersPage } from "./network.ts";

const here = midStream({}, { sideBySide: true });
/** A renewal may begin by asking whether the browser renews by itself. */
const isRenewal = (one: Pick<SeenRequest, "method" | "path">) =>
  isRefresh(one) || one.path === "/api/auth/session";
const RECIPIENT = createWalletKeypair().account;

describe.concurrent("a person who watches a stream is not signed out by", () => {
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
        watch.seen().filter((one) => isRenewal(one) && one.status === status).length,
      ).toBeGreaterThanOrEqual(2),
    );
    await eventually(() =>
      expect(watch.seen().filter((one) => isForEvents(one) && one.status === status)).not.toEqual([]),
    );
    // What is asked for here is answered by the stranger too, and the page says so.
    await watch.page.getByRole("button", { name: "Pause" }).click();
    await watch.page.getByText("Nothing was changed. Something between this page and the server").waitFor();
    recover();
    await expectToGoOn(here, watch);
    await eventually(() => expect(watch.seen().findLast(isForEvents)?.status).toBe(200));
  });
});
