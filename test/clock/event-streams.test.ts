// Event streams and the access tokens of their sessions, which run out while the test waits.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AppServer, startApp } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { openEventStream } from "../support/event-stream.ts";
import { problemOf } from "../support/http-client.ts";
import { bearer, createClient, type SessionClient } from "../support/session-client.ts";

const SETTINGS = { PUBLIC_URL: "http://localhost:3000", ACCESS_TOKEN_TTL: "4s", REFRESH_LEEWAY: "1s" };

const app = appUnderTest(() => SETTINGS);
let other: AppServer;
let elsewhere: SessionClient;

beforeAll(async () => {
  other = await startApp(SETTINGS, app.server);
  elsewhere = createClient(other, app.witness);
});
afterAll(() => other.stop());

const open = (accessToken: string) => openEventStream(app.server, "/api/auth/events", bearer(accessToken));

test.concurrent("is warned, hears of a renewal, ends with its own token, and says so when nobody renews any more", async () => {
  const first = await app.client.signIn();
  const stream = await open(first.accessToken);
  const warning = await stream.next();
  expect(warning.event).toBe("session.expiring");
  // A quarter of 4 s before the end, or up to a tick later.
  expect(warning.data.expires_in).toBeLessThanOrEqual(1);
  const second = await app.client.rotated(first.refreshToken);
  expect((await stream.next()).event).toBe("session.renewed");
  // Its own token is over, and by now the second is nearly so. A client with a newer one connects again.
  expect(await stream.ended).toBe("closed");
  const third = await app.client.rotated(second.refreshToken);
  const renewed = await open(third.accessToken);
  expect((await renewed.next()).event).toBe("session.expiring");
  expect(await renewed.next()).toMatchObject({
    event: "session.ended",
    data: { code: "access_token_expired" },
  });
  expect(await renewed.ended).toBe("closed");
  // After a renewal a client simply connects again.
  const fourth = await app.client.rotated(third.refreshToken);
  const again = await open(fourth.accessToken);
  expect(again.status).toBe(200);
  again.leave();
});

test.concurrent("follows a session that is renewed and ended on another process", async () => {
  const first = await app.client.signIn();
  const stream = await open(first.accessToken);
  expect((await stream.next()).event).toBe("session.expiring");
  const second = await elsewhere.rotated(first.refreshToken);
  expect((await stream.next()).event).toBe("session.renewed");
  await elsewhere.refresh(first.refreshToken);
  expect(await stream.next()).toMatchObject({
    event: "session.ended",
    data: { code: "refresh_token_reused" },
  });
  expect(problemOf(await elsewhere.refresh(second.refreshToken))).toBe("401 refresh_token_revoked");
});
