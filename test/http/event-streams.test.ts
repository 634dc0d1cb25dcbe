// Event streams of the built app: they follow the session, on one process or two. How they outlive access tokens:
// test/clock/event-streams.test.ts.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AppServer, startApp } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { ACCESS_COOKIE } from "../support/cookies.ts";
import { type EventStream, openEventStream } from "../support/event-stream.ts";
import { problemOf } from "../support/http-client.ts";
import { bearer, createClient, type SessionClient } from "../support/session-client.ts";

const EVENTS = "/api/auth/events";
const SETTINGS = { PUBLIC_URL: "http://localhost:3000" };

const app = appUnderTest(() => SETTINGS);
let other: AppServer;
let elsewhere: SessionClient;

beforeAll(async () => {
  other = await startApp(SETTINGS, app.server);
  elsewhere = createClient(other, app.witness);
});
afterAll(() => other.stop());

const open = (headers: Record<string, string>, server = app.server) =>
  openEventStream(server, EVENTS, headers);

const cookie = (accessToken = "") => ({ Cookie: `${ACCESS_COOKIE}=${accessToken}` });

test("begins at once, in plain text however the client would like it compressed", async () => {
  const { accessToken } = await app.client.signIn();
  const response = await fetch(`${app.server.address}${EVENTS}`, {
    headers: { ...bearer(accessToken), "Accept-Encoding": "gzip, br" },
  });
  expect(response.headers.get("content-encoding")).toBeNull();
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  expect(response.headers.get("cache-control")).toBe("no-store, no-transform");
  const reader = response.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  expect(new TextDecoder().decode(value)).toBe("retry: 2000\n\n");
  await reader?.cancel();
});

describe("ends at once with its session, and says why", () => {
  test("a body session, ended from the list of another one", async () => {
    const key = (await app.client.signedInBrowser()).key;
    const [here, there] = [await app.client.signIn(key), await app.client.signIn(key)];
    const stream = await open(bearer(here.accessToken));
    const answer = await app.client.send("DELETE", `/api/auth/sessions/${here.sessionId}`, {
      headers: bearer(there.accessToken),
    });
    expect(answer.status).toBe(204);
    const ended = await stream.next();
    expect(ended).toMatchObject({ event: "session.ended", data: { code: "session_revoked" } });
    expect(await stream.ended).toBe("closed");
  });

  test("a cookie session, ended by its actor's other browser", async () => {
    const here = await app.client.signedInBrowser();
    const there = await app.client.signedInBrowser(here.key);
    const stream = await open(cookie(here.cookies.get(ACCESS_COOKIE)));
    expect((await there.send("DELETE", "/api/auth/sessions")).json).toEqual({ revoked: 1 });
    const ended = await stream.next();
    expect(ended.data).toEqual({ code: "session_revoked" });
    expect(await stream.ended).toBe("closed");
  });

  test("a stolen token: both ends stop, and hear that it was one", async () => {
    const first = await app.client.signIn();
    const mine = await open(bearer(first.accessToken));
    const second = await app.client.rotated(first.refreshToken);
    const thiefs = await open(bearer(second.accessToken));
    expect(problemOf(await app.client.refresh(first.refreshToken))).toBe("401 refresh_token_reused");
    for (const stream of [mine, thiefs]) {
      const events = [await stream.next()];
      if (events[0]?.event === "session.renewed") events.push(await stream.next());
      expect(events.at(-1)).toMatchObject({ event: "session.ended", data: { code: "refresh_token_reused" } });
      expect(await stream.ended).toBe("closed");
    }
  });
});

test("8 at one time for a session: a ninth ends the oldest, and no other", async () => {
  const { accessToken } = await app.client.signIn();
  const streams: EventStream[] = [];
  for (let opened = 0; opened < 9; opened += 1) streams.push(await open(bearer(accessToken)));
  expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200));
  const [oldest, ...others] = streams;
  expect(await Promise.race(streams.map(({ ended }, index) => ended.then(() => index)))).toBe(0);
  expect(await oldest?.ended).toBe("closed");
  // The others hear of the end of the session, so they were still there.
  expect(
    (await app.client.send("DELETE", "/api/auth/sessions?scope=all", { headers: bearer(accessToken) }))
      .status,
  ).toBe(200);
  for (const stream of others) expect(await stream.next()).toMatchObject({ event: "session.ended" });
});

test("another site's page opens none by cookie: nine of them close nobody's own", async () => {
  const jar = await app.client.signedInBrowser();
  const own = await open(cookie(jar.cookies.get(ACCESS_COOKIE)));
  for (let opened = 0; opened < 9; opened += 1) {
    const headers = { ...cookie(jar.cookies.get(ACCESS_COOKIE)), "Sec-Fetch-Site": "same-site" };
    expect(problemOf(await app.client.send("GET", EVENTS, { headers }))).toBe("403 cross_origin");
  }
  expect((await jar.send("DELETE", "/api/auth/sessions?scope=all")).status).toBe(200);
  expect(await own.next()).toMatchObject({ event: "session.ended" });
});

test("a stop ends the streams as a reason to connect again, and then the process", async () => {
  const { accessToken } = await elsewhere.signIn();
  const streams = await Promise.all(Array.from({ length: 3 }, () => open(bearer(accessToken), other)));
  await other.kill("SIGTERM");
  for (const stream of streams) {
    expect(await stream.ended).toBe("closed");
    expect(stream.events).toEqual([]);
  }
  await other.start();
});
