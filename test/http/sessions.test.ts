// Sign-out and the list of sessions, over HTTP. One proxy in front, which says where its clients are.

import { describe, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import { REFRESH_COOKIE } from "../support/cookies.ts";
import { dump, storedSession } from "../support/database.ts";
import { problemOf } from "../support/http-client.ts";
import { bearer } from "../support/session-client.ts";

const app = appUnderTest(() => ({ TRUSTED_PROXIES: "1" }));

const FIREFOX = {
  "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  "X-Forwarded-For": "203.0.113.77",
};
const SAFARI = {
  "User-Agent":
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Mobile/15E148 Safari/604.1",
  "X-Forwarded-For": "198.51.100.9, 2001:db8:aaaa:bbbb::1",
};

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe("the list of sessions", () => {
  test("shows the wallet's two devices, newest first, and nothing secret", async () => {
    const { client } = app;
    const key = createWalletKeypair();
    const laptop = await client.signIn(key, FIREFOX);
    const phone = await client.signIn(key, SAFARI);
    await client.signIn();
    const answer = await client.list(phone.accessToken);
    const times = { created_at: TIME, last_active_at: TIME, idle_expires_at: TIME, expires_at: TIME };
    expect(answer.json).toEqual({
      sessions: [
        {
          id: phone.sessionId,
          current: true,
          ...times,
          generation: 1,
          transport: "body",
          binding: null,
          proof_failed_at: null,
          client: { browser: "Safari 18", os: "iOS 18", device: "iPhone", ip: "2001:db8:aaaa::" },
        },
        {
          id: laptop.sessionId,
          current: false,
          ...times,
          generation: 1,
          transport: "body",
          binding: null,
          proof_failed_at: null,
          client: { browser: "Firefox 140", os: "Linux", device: "desktop", ip: "203.0.113.0" },
        },
      ],
    });
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  test("leaves out what has ended", async () => {
    const { client } = app;
    const key = createWalletKeypair();
    const one = await client.signIn(key);
    const two = await client.signIn(key);
    await client.logout(one.refreshToken);
    expect((await client.list(two.accessToken)).json.sessions).toEqual([
      expect.objectContaining({ id: two.sessionId, current: true }),
    ]);
  });
});

describe("ending sessions from the list", () => {
  test("one: its tokens are dead, the others live, and a second time is the same", async () => {
    const { client } = app;
    const key = createWalletKeypair();
    const laptop = await client.signIn(key);
    const phone = await client.signIn(key);
    const path = `/api/auth/sessions/${phone.sessionId}`;
    for (let i = 0; i < 2; i++) {
      const answer = await client.send("DELETE", path, { headers: bearer(laptop.accessToken) });
      expect([answer.status, answer.text]).toEqual([204, ""]);
    }
    expect(problemOf(await client.refresh(phone.refreshToken))).toBe("401 refresh_token_revoked");
    expect(problemOf(await client.list(phone.accessToken))).toBe("401 session_revoked");
    expect((await client.refresh(laptop.refreshToken)).status).toBe(200);
  });

  test("all others", async () => {
    const { client } = app;
    const key = createWalletKeypair();
    const others = [await client.signIn(key), await client.signIn(key)];
    const stranger = await client.signIn();
    const mine = await client.signIn(key);
    const end = () => client.send("DELETE", "/api/auth/sessions", { headers: bearer(mine.accessToken) });
    expect((await end()).json).toEqual({ revoked: 2 });
    expect((await end()).json).toEqual({ revoked: 0 });
    for (const { refreshToken } of others) {
      expect(problemOf(await client.refresh(refreshToken))).toBe("401 refresh_token_revoked");
    }
    for (const { refreshToken } of [mine, stranger]) {
      expect((await client.refresh(refreshToken)).status).toBe(200);
    }
  });

  test("all, this one too: the jar that asked is emptied", async () => {
    const { client } = app;
    const key = createWalletKeypair();
    const other = await client.signIn(key);
    const jar = await client.signedInBrowser(key);
    const answer = await jar.send("DELETE", "/api/auth/sessions?scope=all");
    expect([answer.status, answer.json]).toEqual([200, { revoked: 2 }]);
    expect(jar.cookies.size).toBe(0);
    expect(problemOf(await client.list(other.accessToken))).toBe("401 session_revoked");
    expect(storedSession(app.server, jar.sessionId).revokedReason).toBe("ended");
  });

  test("of someone else, of nobody, or of no id at all is 404 and changes nothing", async () => {
    const { client, server } = app;
    const mine = await client.signIn();
    const theirs = await client.signIn();
    const before = dump(server);
    const answers = [];
    for (const id of [
      theirs.sessionId,
      "A".repeat(22),
      `${theirs.sessionId}=`,
      "..%2F..%2Fsessions",
      "%00",
      "'; DROP TABLE sessions; --",
    ]) {
      const path = `/api/auth/sessions/${id}`;
      const answer = await client.send("DELETE", path, { headers: bearer(mine.accessToken) });
      expect([id, problemOf(answer)]).toEqual([id, "404 not_found"]);
      answers.push(answer.text);
    }
    // Whether an id exists does not show.
    expect(new Set(answers).size).toBe(1);
    expect(dump(server)).toBe(before);
  });

  test("with another scope is refused", async () => {
    const { client } = app;
    const { accessToken } = await client.signIn();
    const answer = await client.send("DELETE", "/api/auth/sessions?scope=everything", {
      headers: bearer(accessToken),
    });
    expect(problemOf(answer)).toBe("400 invalid_request");
  });
});

describe("sign-out ends the session, and a second time is the same", () => {
  test.each(["refresh token in the body", "spent refresh token", "access token"])("by %s", async (by) => {
    const { client } = app;
    const first = await client.signIn();
    const second = await client.rotated(first.refreshToken);
    const logout = () => {
      switch (by) {
        case "access token":
          return client.send("POST", "/api/auth/logout", { headers: bearer(second.accessToken) });
        case "spent refresh token":
          return client.logout(first.refreshToken);
        default:
          return client.logout(second.refreshToken);
      }
    };
    for (let i = 0; i < 2; i++) {
      const answer = await logout();
      expect([answer.status, answer.text, answer.setCookies]).toEqual([204, "", []]);
    }
    expect(problemOf(await client.refresh(second.refreshToken))).toBe("401 refresh_token_revoked");
    expect(problemOf(await client.list(second.accessToken))).toBe("401 session_revoked");
    expect(storedSession(app.server, first.sessionId).revokedReason).toBe("logout");
  });

  test("by cookie, which empties the jar", async () => {
    const { client } = app;
    const jar = await client.signedInBrowser();
    const refreshToken = jar.cookies.get(REFRESH_COOKIE);
    for (let i = 0; i < 2; i++) {
      expect((await jar.send("POST", "/api/auth/logout")).status).toBe(204);
      expect(jar.cookies.size).toBe(0);
    }
    jar.cookies.set(REFRESH_COOKIE, String(refreshToken));
    expect(problemOf(await jar.send("POST", "/api/auth/refresh"))).toBe("401 refresh_token_revoked");
    expect(storedSession(app.server, jar.sessionId).revokedReason).toBe("logout");
  });

  test("by nothing at all", async () => {
    expect((await app.client.send("POST", "/api/auth/logout")).status).toBe(204);
  });
});

test("a guarded route without a token says what it needs", async () => {
  for (const path of ["/api/auth/session", "/api/auth/sessions"]) {
    const answer = await app.client.send("GET", path);
    expect(problemOf(answer)).toBe("401 access_token_missing");
    expect(answer.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
  }
});
