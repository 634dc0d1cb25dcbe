import { describe, expect, test } from "vitest";
import { createWalletKeypair } from "../../testing/wallet-keypair.ts";
import type { WalletMethod } from "../../wallets/wallet.ts";
import { COOKIES, PASSPHRASE, problemOf, readJson, startHttp } from "../http.fixture.ts";

const WALLET = "/api/auth/wallet";

describe("sign-in", () => {
  test("answers a challenge with a session by body", async () => {
    const { send, answerFor } = await startHttp();
    const response = await send("POST", WALLET, { body: await answerFor() });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.getSetCookie()).toEqual([]);
    const body = await readJson(response);
    expect(Object.keys(body)).toEqual([
      "token",
      "access_token",
      "token_type",
      "expires_in",
      "refresh_token",
      "refresh_expires_in",
      "session_id",
    ]);
    expect(body).toMatchObject({ token_type: "Bearer", expires_in: 900, refresh_expires_in: 7 * 86_400 });
    expect(body.token).toBe(body.access_token);
  });

  test("answers by cookie without a token in the body", async () => {
    const { send, answerFor } = await startHttp();
    const response = await send("POST", WALLET, {
      body: await answerFor(),
      headers: { "Session-Transport": "cookie", Origin: "https://pay.example.com" },
    });
    const answer = await readJson(response);
    const { session_id } = answer;
    expect(Object.keys(answer)).toEqual(["token_type", "expires_in", "refresh_expires_in", "session_id"]);
    expect(response.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        new RegExp(`^${COOKIES.access}=[\\w.-]+; Max-Age=900; Path=/; HttpOnly; Secure; SameSite=Lax$`),
      ),
      expect.stringMatching(
        new RegExp(
          `^${COOKIES.refresh}=wsr1_[\\w-]{96}; Max-Age=604800; Path=/api/auth; HttpOnly; Secure; SameSite=Lax$`,
        ),
      ),
      `${COOKIES.session}=${session_id}; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax`,
      `${COOKIES.retry}=; Max-Age=0; Path=/; Secure; SameSite=Lax`,
    ]);
  });
});

describe("the challenge", () => {
  test("by cookie says that it sees none of the service's own, and sets one, which it then sees", async () => {
    const { send, browser } = await startHttp();
    const path = `${WALLET}?account=${createWalletKeypair().account}`;
    const ask = (cookie = "") =>
      send("GET", path, { headers: { "Session-Transport": "cookie", Cookie: cookie } });
    for (const cookie of ["", `${COOKIES.retry}=${"a".repeat(48)}`, "other=1"]) {
      const answer = await ask(cookie);
      expect([answer.status, answer.headers.get("session-cookies")]).toEqual([200, "none"]);
      const [line = "", ...more] = answer.headers.getSetCookie();
      expect([line, more]).toEqual([expect.stringMatching(new RegExp(`^${COOKIES.retry}=[\\w-]{36};`)), []]);
      const again = await ask(line.split(";")[0]);
      expect([again.headers.get("session-cookies"), again.headers.getSetCookie()]).toEqual([null, []]);
    }
    const jar = await browser();
    const known = await jar.send("GET", path, { headers: { "Session-Transport": "cookie" } });
    expect([known.headers.get("session-cookies"), known.headers.getSetCookie()]).toEqual([null, []]);
    const byBody = await send("GET", path);
    expect([byBody.headers.get("session-cookies"), byBody.headers.getSetCookie()]).toEqual([null, []]);
  });

  test("is for the account, memo and domains of the query", async () => {
    const { send } = await startHttp();
    const { account } = createWalletKeypair();
    const response = await send("GET", `${WALLET}?account=${account}&memo=7&home_domain=pay.example.com`);
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(await readJson(response)).toEqual({
      transaction: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/),
      network_passphrase: PASSPHRASE,
    });
  });

  test.each([
    ["no account", ""],
    ["an empty account", "?account="],
    ["no address", "?account=nobody"],
    ["a doubled account", "?account=A&account=B"],
    ["a doubled memo", "?account=A&memo=1&memo=2"],
    ["another home domain", `?account=${createWalletKeypair().account}&home_domain=evil.example`],
    ["a text memo", `?account=${createWalletKeypair().account}&memo=hello`],
  ])("is refused for %s", async (_, query) => {
    const { send } = await startHttp();
    expect(await problemOf(await send("GET", WALLET + query))).toBe("400 invalid_request");
  });

  test("may come in a form", async () => {
    const { send, answerFor } = await startHttp();
    const body = new URLSearchParams(await answerFor()).toString();
    const headers = { "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8" };
    expect((await send("POST", WALLET, { body, headers })).status).toBe(200);
  });

  test("makes one session, and is refused when it is old", async () => {
    const { send, answerFor, clock } = await startHttp();
    const body = await answerFor();
    expect((await send("POST", WALLET, { body })).status).toBe(200);
    expect(await problemOf(await send("POST", WALLET, { body }))).toBe("400 challenge_used");
    const late = await answerFor();
    clock.advance(301_000);
    expect(await problemOf(await send("POST", WALLET, { body: late }))).toBe("400 challenge_expired");
  });

  test.each([
    ["nothing", {}, "400 invalid_request"],
    ["an empty text", { transaction: "" }, "400 invalid_request"],
    ["a number", { transaction: 1 }, "400 invalid_request"],
    ["null", { transaction: null }, "400 invalid_request"],
    ["no transaction", { transaction: "AAAA" }, "400 challenge_invalid"],
  ])("refuses %s as the answer", async (_, body, expected) => {
    const { send, store } = await startHttp();
    const before = await store.snapshot();
    expect(await problemOf(await send("POST", WALLET, { body }))).toBe(expected);
    expect(await store.snapshot()).toBe(before);
  });

  test("that nobody has signed is refused", async () => {
    const { send } = await startHttp();
    const challenge = await readJson(await send("GET", `${WALLET}?account=${createWalletKeypair().account}`));
    const body = { transaction: challenge.transaction };
    expect(await problemOf(await send("POST", WALLET, { body }))).toBe("400 signature_invalid");
  });
});

describe("the transport", () => {
  test("is body or cookie and nothing else", async () => {
    const { send, answerFor } = await startHttp();
    const body = await answerFor();
    const wrong = await send("POST", WALLET, { body, headers: { "Session-Transport": "Cookie" } });
    expect(await problemOf(wrong)).toBe("400 invalid_request");
    const right = await send("POST", WALLET, { body, headers: { "Session-Transport": "body" } });
    expect((await readJson(right)).refresh_token).toMatch(/^wsr1_/);
  });

  test.each([
    ["another site", { "Sec-Fetch-Site": "cross-site" }],
    ["a neighbour domain", { "Sec-Fetch-Site": "same-site", Origin: "https://pay.example.com" }],
    ["another origin in an old browser", { Origin: "https://evil.example" }],
    ["an opaque origin", { Origin: "null" }],
    ["no browser", {}],
  ])("is not cookie for %s, and the challenge stays good", async (_, headers: Record<string, string>) => {
    const { send, answerFor } = await startHttp();
    const body = await answerFor();
    const response = await send("POST", WALLET, {
      body,
      headers: { ...headers, "Session-Transport": "cookie" },
    });
    expect(await problemOf(response)).toBe("403 cross_origin");
    expect(response.headers.getSetCookie()).toEqual([]);
    expect((await send("POST", WALLET, { body })).status).toBe(200);
  });
});

describe("a second sign-in in one browser", () => {
  test("ends the session that its jar forgets", async () => {
    const { browser, answerFor, store, engine } = await startHttp();
    const first = await browser();
    const firstToken = first.cookies.get(COOKIES.access) ?? "";
    const body = await answerFor();
    const response = await first.send("POST", WALLET, {
      body,
      headers: { "Session-Transport": "cookie" },
    });
    expect(response.status).toBe(200);
    expect(await store.real.findSession(first.sessionId)).toMatchObject({ revokedReason: "replaced" });
    await expect(engine.authenticate(firstToken)).rejects.toMatchObject({ code: "session_revoked" });
    expect((await first.send("GET", "/api/auth/session")).status).toBe(200);
  });

  test("does not fail where the end of the first does", async () => {
    const { browser, answerFor, store } = await startHttp();
    const jar = await browser();
    const body = await answerFor();
    // The store goes away between the two steps.
    const create = store.real.createSession.bind(store.real);
    store.real.createSession = async (...args) => {
      const outcome = await create(...args);
      store.failing = true;
      return outcome;
    };
    const response = await jar.send("POST", WALLET, { body, headers: { "Session-Transport": "cookie" } });
    expect(response.status).toBe(200);
    store.failing = false;
    expect((await jar.send("GET", "/api/auth/session")).status).toBe(200);
  });

  test("works beside a doubled refresh cookie", async () => {
    const { send, answerFor } = await startHttp();
    const response = await send("POST", WALLET, {
      body: await answerFor(),
      headers: {
        "Session-Transport": "cookie",
        "Sec-Fetch-Site": "same-origin",
        Cookie: `${COOKIES.refresh}=a; ${COOKIES.refresh}=b`,
      },
    });
    expect(response.status).toBe(200);
  });
});

test("a wallet of another kind signs in: it gets what it takes, and publishes what it has", async () => {
  const asked: object[] = [];
  const wallet: WalletMethod = {
    takes: { challenge: ["key"], answer: ["key", "signature"] },
    async challenge(request) {
      asked.push(request);
      return { text: `sign in ${request.key}` };
    },
    async verify(answer) {
      asked.push(answer);
      const challenge = { id: "once", expiresAt: Number.MAX_SAFE_INTEGER };
      return { actorId: `key:${answer.key}`, challenge };
    },
  };
  const { send } = await startHttp({ wallet });
  const challenge = await send("GET", `${WALLET}?key=k1&account=ignored&account=twice`);
  expect(await challenge.json()).toEqual({ text: "sign in k1" });
  expect(await problemOf(await send("GET", `${WALLET}?key=k1&key=k2`))).toBe("400 invalid_request");
  const signedIn = await send("POST", WALLET, { body: { key: "k1", signature: "s", more: 1 } });
  expect(signedIn.status).toBe(200);
  expect(asked).toEqual([{ key: "k1" }, { key: "k1", signature: "s" }]);
  expect(await problemOf(await send("GET", "/.well-known/stellar.toml"))).toBe("404 not_found");
});

test("a session remembers its device, and of the address only the network", async () => {
  const { send, answerFor, engine } = await startHttp({ clientAddress: () => "203.0.113.77" });
  const key = createWalletKeypair();
  await send("POST", WALLET, {
    body: await answerFor(key),
    headers: { "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" },
  });
  const [session] = await engine.listSessions(key.account);
  expect(session?.client).toEqual({
    browser: "Firefox 140",
    os: "Linux",
    device: "desktop",
    ip: "203.0.113.0",
  });
});
