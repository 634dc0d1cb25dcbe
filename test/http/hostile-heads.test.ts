// Heads of 14 KB that cost Next the square of their length unless they are cut before it reads them. What Next spends on them is
// not asserted here; what it sees of them is.
import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import { ACCESS_COOKIE } from "../support/cookies.ts";
import { problemOf } from "../support/http-client.ts";
import { NAVIGATION } from "../support/page-load.ts";
import { bearer } from "../support/session-client.ts";

const app = appUnderTest(() => ({}));

const { account } = createWalletKeypair();
const challengePath = (pairs: string) => `/api/auth/wallet?${pairs}account=${account}`;
const manyCookies = Array.from({ length: 2_000 }, (_, index) => `c${index.toString(36)}=1`).join("; ");

test("of a query the first hundred parameters arrive", async () => {
  const { send } = app.client;
  expect((await send("GET", challengePath("a=1&".repeat(99)))).status).toBe(200);
  for (const pair of ["a&", "a=1&", "a[]=&", "=&", "%61&"]) {
    expect(problemOf(await send("GET", challengePath(pair.repeat(2_500))))).toBe("400 invalid_request");
  }
});

test("a signed-in browser with thousands of foreign cookies stays signed in, on routes and on pages", async () => {
  const browser = await app.client.signedInBrowser();
  const access = `${ACCESS_COOKIE}=${browser.cookies.get(ACCESS_COOKIE)}`;
  for (const cookie of [`${manyCookies}; ${access}`, `${access}; ${manyCookies}`]) {
    const session = await app.client.send("GET", "/api/auth/session", { headers: { Cookie: cookie } });
    expect([session.status, session.json.session_id]).toEqual([200, browser.sessionId]);
    const page = await app.client.send("GET", "/sessions", { headers: { ...NAVIGATION, Cookie: cookie } });
    expect(page.status).toBe(200);
  }
});

test("a User-Agent without end is answered like any other", async () => {
  const { accessToken } = await app.client.signIn(undefined, { "User-Agent": "a-".repeat(7_000) });
  const headers = { ...bearer(accessToken), "User-Agent": "droid".repeat(2_800) };
  expect((await app.client.send("GET", "/api/auth/session", { headers })).status).toBe(200);
});

test("a head of hundreds of lines is refused, on routes and on pages; one of a hundred is not", async () => {
  const { accessToken } = await app.client.signIn();
  // Of the hundred, some are from fetch itself.
  const lines = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`X-Hostile-${index}`, "1"]));
  for (const path of ["/api/auth/session", "/sign-in", "/streams"]) {
    const refused = await app.client.send("GET", path, { headers: { ...NAVIGATION, ...lines(700) } });
    expect([refused.status, refused.text]).toEqual([400, ""]);
    expect(refused.headers.get("x-content-type-options")).toBe("nosniff");
  }
  const headers = { ...bearer(accessToken), ...lines(80) };
  expect((await app.client.send("GET", "/api/auth/session", { headers })).status).toBe(200);
});

test("an address of 14 KB is refused, on routes and on pages; one of 8 KB is not", async () => {
  for (const path of ["/api/healthz", "/sign-in", "/streams"]) {
    for (const rest of [`?a=${"+".repeat(14_000)}`, `?a=${"%".repeat(14_000)}`, "/a".repeat(7_000)]) {
      expect((await app.client.send("GET", path + rest, { headers: NAVIGATION })).status).toBe(400);
    }
  }
  expect((await app.client.send("GET", `/api/healthz?a=${"+".repeat(8_000)}`)).status).toBe(200);
});

test("what nobody answers does not hold up a stop, which waits for what is being answered", async () => {
  const upgrade = open(
    `GET /_next/webpack-hmr?${"a&".repeat(5_000)} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  );
  const halfHead = open("GET /api/healthz HTTP/1.1\r\nHo");
  const halfBody = open(
    "POST /api/auth/refresh HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{",
  );
  await Promise.all([upgrade, halfHead, halfBody].map(({ connected }) => connected));
  // By then what they have sent has arrived.
  expect((await app.client.send("GET", "/api/healthz")).status).toBe(200);
  const stopped = app.server.kill("SIGTERM");
  onTestFinished(async () => {
    await stopped;
    await app.server.start();
  });
  await Promise.all([upgrade.closed, halfHead.closed]);
  halfBody.socket.write("}");
  expect(await halfBody.closed).toContain("refresh_token_missing");
  expect(await stopped).toEqual({ code: 143, signal: null });
});

/** A connection that sends this. `closed`: what has come back when it is over. */
function open(text: string) {
  const { hostname, port } = new URL(app.server.address);
  const socket = connect(Number(port), hostname, () => socket.write(text));
  onTestFinished(() => void socket.destroy());
  const connected = once(socket, "connect");
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk;
  });
  const closed = new Promise<string>((resolve) =>
    socket.on("error", () => {}).once("close", () => resolve(received)),
  );
  return { socket, connected, closed };
}
