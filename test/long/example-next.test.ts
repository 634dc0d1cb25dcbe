// Somebody else's app on Next, which mounts the packed package: built and started as its readers would, then used.
import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { ACCESS_COOKIE } from "../support/cookies.ts";
import { storedSession } from "../support/database.ts";
import { buildExampleNext } from "../support/example-next.ts";
import { testExample } from "../support/example-under-test.ts";
import type { Answer } from "../support/http-client.ts";
import { loadPage } from "../support/page-load.ts";

const example = testExample({
  name: "next",
  signIn: "/sign-in",
  pages: ["app/account/page.tsx", "app/account/devices/actions.ts", "app/sign-in/page.tsx"],
  prepare: (cwd, consumer) => buildExampleNext(cwd, consumer, OWN),
});

/** What its readers write besides. */
const OWN = {
  "app/account/devices/actions.ts": `"use server";
  import { guard, sessions } from "../../../sessions";
  export async function endOthers() {
    const { actorId, sessionId } = await guard.require("/account/devices", { fresh: true });
    await sessions.engine.revokeSessions(actorId, sessionId);
  }`,
  "app/account/devices/page.tsx": `import { endOthers } from "./actions";
  export default () => <form action={endOthers}><button>Sign out everywhere else</button></form>;`,
};

test("an action acts for the signed-in visitor, renewed on its way, and for nobody else", async () => {
  const { client, server } = example;
  const key = createWalletKeypair();
  const [jar, other] = [await client.signedInBrowser(key), await client.signedInBrowser(key)];
  const { last } = await loadPage(jar.send, "/account/devices");
  const [, action = ""] = /\$ACTION_ID_([0-9a-f]+)/.exec(last.text) ?? [];
  // As Next's own script calls it.
  const call = (path = "/account/devices") =>
    jar.send("POST", path, {
      headers: {
        // Next compares it with the Host.
        Origin: server.address,
        "Sec-Fetch-Site": "same-origin",
        Accept: "text/x-component",
        "Content-Type": "text/plain;charset=UTF-8",
        "Next-Action": action,
      },
      body: "[]",
    });
  const locationOf = ({ headers }: Answer) => headers.get("location") ?? "";
  jar.cookies.delete(ACCESS_COOKIE);
  const away = await call();
  const back = await call(locationOf(away));
  expect([away.status, back.status, locationOf(back)]).toEqual([307, 307, "/account/devices"]);
  expect(storedSession(server, jar.sessionId)).toEqual({ generation: 2, revokedReason: null });
  expect((await call()).status).toBe(200);
  expect(storedSession(server, other.sessionId).revokedReason).not.toBeNull();

  await jar.sendUnheard("POST", "/api/auth/logout");
  jar.cookies.delete(ACCESS_COOKIE);
  const refused = await call(locationOf(await call()));
  const [bounce = ""] = ((await call(locationOf(refused))).headers.get("x-action-redirect") ?? "").split(";");
  expect((await loadPage(jar.send, bounce)).paths.at(-1)).toBe("/sign-in");
});

test("hostile heads are cut before Next reads them", async () => {
  const { account } = createWalletKeypair();
  const path = (pairs: number) => `/api/auth/wallet?${"a=1&".repeat(pairs)}account=${account}`;
  expect((await example.client.send("GET", path(99))).status).toBe(200);
  expect((await example.client.send("GET", path(2_500))).status).toBe(400);
});
