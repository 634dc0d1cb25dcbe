// Device Bound Session Credentials over HTTP: what a browser with device keys sends and is answered.
import { describe, expect, test } from "vitest";
import type { DeviceBrowser } from "../../../test/device-browser.ts";
import { createTestKey, deviceProof, registrationProof } from "../../../test/proofs.ts";
import { sessionIdFrom } from "../../session-id.ts";
import {
  accessOf,
  boundBrowser,
  cookieHeader,
  MINUTE,
  prove,
  REFRESH,
  REGISTER,
  signInBy,
  startDevices,
} from "../device.fixture.ts";
import { COOKIES, problemOf, readJson } from "../http.fixture.ts";
import { REFRESHES_PER_MINUTE } from "../rate-limit.ts";

const SESSION = "/api/auth/session";
const bindingOf = async (browser: DeviceBrowser) =>
  (await readJson(await browser.request("GET", SESSION))).binding;
const sessionOf = (browser: DeviceBrowser) => {
  const [session] = browser.sessions.values();
  if (session === undefined) throw new Error("The browser has no device session.");
  return session;
};

describe.each([
  ["bare", false],
  ["in quotes", true],
])("a browser that sends its headers %s", (_, quoted) => {
  test("is bound after its first request, by no script, and goes on for many lives of its access cookie", async () => {
    const http = await startDevices({ quoted });
    const browser = http.newBrowser();
    await signInBy(http, browser);
    expect(browser.log).toEqual(["register 200"]);
    expect((accessOf(browser)?.endsAt ?? 0) - http.clock.now()).toBe(MINUTE);
    expect(await bindingOf(browser)).toBeNull();
    await browser.settled();
    // It asked for a challenge, and proved its key.
    expect(browser.log).toEqual(["register 200", "refresh 403", "refresh 200"]);
    expect(await bindingOf(browser)).toBe("device");
    for (let life = 1; life <= 50; life += 1) {
      http.clock.advance(15 * MINUTE);
      expect((await browser.request("GET", SESSION)).status).toBe(200);
    }
    expect(browser.log.slice(3)).toEqual(Array.from({ length: 50 }, () => "refresh 200"));
    expect(http.alarms()).toEqual([]);
    expect(http.events.filter(({ type }) => type === "proof_failed")).toEqual([]);
  });
});

test("a machine that slept over the answer to a renewal gets on with its next look at the session", async () => {
  const http = await startDevices();
  const browser = await boundBrowser(http);
  const access = accessOf(browser);
  if (access === undefined) throw new Error("no access cookie");
  http.clock.advance(20 * MINUTE);
  // The cookie's life began when the browser took it, after all that sleep.
  browser.cookies.set(COOKIES.access, { ...access, endsAt: http.clock.now() + 15 * MINUTE });
  const renewals = browser.log.length;
  const asleep = await browser.request("GET", SESSION);
  expect(await problemOf(asleep)).toBe("401 access_token_expired");
  expect(browser.log.length).toBe(renewals);
  expect((await browser.request("GET", SESSION)).status).toBe(200);
  expect(browser.log.slice(renewals)).toEqual(["refresh 200"]);
});

test("an ended access cookie stays where no browser binds sessions, and a header clears none", async () => {
  for (const deviceBinding of ["off", "offer"] as const) {
    const http = await startDevices({ deviceBinding });
    const browser = http.newBrowser();
    await signInBy(http, browser);
    const token = accessOf(browser)?.value ?? "";
    http.clock.advance(20 * MINUTE);
    const look = (headers: Record<string, string>) => http.send("GET", SESSION, { headers });
    const byCookie = await look({ Cookie: `${COOKIES.access}=${token}` });
    expect(byCookie.status).toBe(401);
    expect(byCookie.headers.getSetCookie()).toHaveLength(deviceBinding === "off" ? 0 : 1);
    const byHeader = await look({ Authorization: `Bearer ${token}` });
    expect(byHeader.status).toBe(401);
    expect(byHeader.headers.getSetCookie()).toEqual([]);
  }
});

describe("the registration", () => {
  test("tells the browser of its cookie, as that is set", async () => {
    const http = await startDevices();
    const { send, answerFor } = http;
    const signedIn = await send("POST", "/api/auth/wallet", {
      body: await answerFor(),
      headers: { "Session-Transport": "cookie", "Sec-Fetch-Site": "same-origin" },
    });
    const offer = signedIn.headers.get("secure-session-registration") ?? "";
    const [, challenge = ""] =
      /^\(ES256\);path="\/api\/auth\/device\/register";challenge="([\w-]{55})"$/.exec(offer) ?? [];
    const Cookie = signedIn.headers
      .getSetCookie()
      .map((line) => line.split(";", 1)[0])
      .join("; ");
    const key = createTestKey();
    const response = await send("POST", REGISTER, {
      headers: { Cookie, "Secure-Session-Response": registrationProof(key, challenge) },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const [line = ""] = response.headers.getSetCookie();
    expect(await response.json()).toEqual({
      session_identifier: expect.stringMatching(/^[\w-]{98}$/),
      refresh_url: REFRESH,
      scope: {
        include_site: false,
        scope_specification: [
          { type: "exclude", domain: "*", path: "/api/auth/wallet" },
          { type: "exclude", domain: "*", path: "/api/auth/logout" },
        ],
      },
      credentials: [
        { type: "cookie", name: COOKIES.access, attributes: line.replace(/^[^;]*; Max-Age=60; /, "") },
      ],
    });
  });

  test("writes nothing, so that one whose answer was lost is offered again at the next refresh", async () => {
    const http = await startDevices();
    const browser = http.newBrowser();
    browser.state.loses = (path) => path === REGISTER;
    await signInBy(http, browser);
    expect(browser.sessions.size).toBe(0);
    browser.state.loses = () => false;
    http.clock.advance(10 * MINUTE);
    expect((await browser.request("POST", "/api/auth/refresh")).status).toBe(200);
    await browser.settled();
    expect(browser.log).toEqual(["register 200"]);
    await browser.request("GET", SESSION);
    await browser.settled();
    expect(await bindingOf(browser)).toBe("device");
  });

  test("gives the access cookie no more time than its token has", async () => {
    const http = await startDevices({ engineOptions: { accessTtlMs: 20_000 } });
    const browser = http.newBrowser();
    await signInBy(http, browser);
    const left = (accessOf(browser)?.endsAt ?? 0) - http.clock.now();
    expect([19_000, 20_000]).toContain(left);
    await browser.request("GET", SESSION);
    await browser.settled();
    // Of a bound session the cookie ends a little before its token.
    expect((accessOf(browser)?.endsAt ?? 0) - http.clock.now()).toBe(15_000);
  });

  test("is offered with new tokens of a session without a key, and with nothing else", async () => {
    const http = await startDevices();
    const browser = http.newBrowser();
    browser.state.holdsKeys = false;
    await signInBy(http, browser);
    const isOffered = async (method: string, path: string) =>
      (await browser.request(method, path)).headers.has("secure-session-registration");
    // The jar is young, and nothing changes.
    expect(await isOffered("POST", "/api/auth/refresh")).toBe(false);
    http.clock.advance(10 * MINUTE);
    expect(await isOffered("GET", SESSION)).toBe(false);
    expect(await isOffered("GET", "/api/auth/refresh?next=/x")).toBe(true);
    http.clock.advance(10 * MINUTE);
    expect(await isOffered("POST", "/api/auth/refresh")).toBe(true);
    const bound = await boundBrowser(http);
    expect((await bound.request("POST", "/api/auth/wallet")).headers.has("secure-session-registration")).toBe(
      false,
    );
    const byBody = await http.send("POST", "/api/auth/wallet", { body: await http.answerFor() });
    expect(byBody.headers.has("secure-session-registration")).toBe(false);
    const { refresh_token } = await readJson(byBody);
    const refreshed = await http.send("POST", "/api/auth/refresh", { body: { refresh_token } });
    expect(refreshed.headers.has("secure-session-registration")).toBe(false);
  });

  test.each([
    ["it is off", { deviceBinding: "off" } as const],
    ["browsers would not do it", { publicUrl: new URL("http://pay.example.com") }],
  ])("is not offered where %s, nor taken", async (_, options) => {
    const http = await startDevices(options);
    const jar = await http.browser();
    const signedIn = jar.prepare("POST", "/api/auth/refresh");
    http.clock.advance(10 * MINUTE);
    const response = await http.handlers.fetch(signedIn);
    expect(response.status).toBe(200);
    expect(response.headers.has("secure-session-registration")).toBe(false);
    expect(await problemOf(await http.send("POST", REGISTER, { headers: {} }))).toBe("404 not_found");
  });
});

/** A copy of all that a browser holds but its key. */
function stolenFrom(browser: DeviceBrowser) {
  const { id, challenge } = sessionOf(browser);
  return { jar: browser.jar(), id, challenge: challenge ?? "" };
}

describe("the refresh of a bound session", () => {
  test("with a proof that is none asks for one, and names the key", async () => {
    const http = await startDevices();
    const browser = await boundBrowser(http);
    const { jar, id } = stolenFrom(browser);
    const { key } = sessionOf(browser);
    const first = await prove(http, jar, { "Sec-Secure-Session-Id": id });
    expect(await problemOf(first)).toBe("403 proof_nonce");
    expect(first.headers.getSetCookie()).toEqual([]);
    const said = /^"([\w-]{55})";id="([\w-]{98})"$/.exec(first.headers.get("secure-session-challenge") ?? "");
    expect(said?.[2]).toBe(id);
    // A proof over what nobody has asked is as good as none.
    const stale = deviceProof(key, "x".repeat(55));
    const again = await prove(http, jar, { "Sec-Secure-Session-Id": id, "Secure-Session-Response": stale });
    expect(await problemOf(again)).toBe("403 proof_nonce");
    const good = deviceProof(key, said?.[1] ?? "");
    const response = await prove(http, jar, { "Sec-Secure-Session-Id": id, "Secure-Session-Response": good });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
    expect(response.headers.get("secure-session-challenge")).toContain(`;id="${id}"`);
    expect(response.headers.getSetCookie().map((line) => line.split("=", 1)[0])).toEqual([
      COOKIES.access,
      COOKIES.refresh,
      COOKIES.session,
      COOKIES.retry,
    ]);
  });

  test.each<[string, (stolen: ReturnType<typeof stolenFrom>) => Record<string, string>, string]>([
    [
      "another key",
      ({ challenge }) => ({ "Secure-Session-Response": deviceProof(createTestKey(), challenge) }),
      "401 proof_invalid",
    ],
    [
      "a key in the proof",
      ({ challenge }) => ({ "Secure-Session-Response": registrationProof(createTestKey(), challenge) }),
      "401 proof_invalid",
    ],
    ["no text", () => ({ "Secure-Session-Response": "" }), "401 proof_invalid"],
    ["an open quote", () => ({ "Secure-Session-Response": '"x' }), "401 proof_invalid"],
    ["another name", () => ({ "Sec-Secure-Session-Id": "x".repeat(98) }), "401 proof_invalid"],
    ["no name", () => ({ "Sec-Secure-Session-Id": "" }), "401 proof_invalid"],
    ["the origin of a page", () => ({ Origin: "https://pay.example.com" }), "403 cross_origin"],
    ["a script's mark", () => ({ "Sec-Fetch-Site": "same-origin" }), "403 cross_origin"],
  ])("by a copy with %s opens nothing, ends nothing, and clears nothing", async (_, headersOf, expected) => {
    const http = await startDevices();
    const browser = await boundBrowser(http);
    const stolen = stolenFrom(browser);
    const rowOf = () =>
      http.store.real.findSession(sessionIdFrom(Buffer.from(browser.sessionId, "base64url")));
    const before = await rowOf();
    const response = await prove(http, stolen.jar, {
      "Sec-Secure-Session-Id": stolen.id,
      ...headersOf(stolen),
    });
    expect(await problemOf(response)).toBe(expected);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(await rowOf()).toEqual(before);
    http.clock.advance(15 * MINUTE);
    expect(await bindingOf(browser)).toBe("device");
  });

  test("gives nobody who reads it from another origin a word, not even trusted ones", async () => {
    const origin = "https://app.example.com";
    const http = await startDevices({ trustedOrigins: [origin] });
    for (const path of [REFRESH, REGISTER]) {
      for (const method of ["POST", "OPTIONS"]) {
        const { headers } = await http.send(method, path, { headers: { Origin: origin } });
        expect(headers.get("access-control-allow-origin")).toBeNull();
        expect(headers.get("access-control-allow-credentials")).toBeNull();
      }
    }
  });

  test("goes on where the browser says that no page is behind it", async () => {
    const http = await startDevices();
    const browser = await boundBrowser(http);
    const { jar, id } = stolenFrom(browser);
    const response = await prove(http, jar, { "Sec-Secure-Session-Id": id, "Sec-Fetch-Site": "none" });
    expect(await problemOf(response)).toBe("403 proof_nonce");
  });

  test("is 401 once the session is over, and takes its cookies along", async () => {
    for (const end of ["logout", "expired"] as const) {
      const http = await startDevices();
      const browser = await boundBrowser(http);
      const { jar, id } = stolenFrom(browser);
      if (end === "logout") await browser.request("POST", "/api/auth/logout");
      else http.clock.advance(8 * 24 * 60 * MINUTE);
      const response = await prove(http, jar, { "Sec-Secure-Session-Id": id });
      expect(await problemOf(response)).toBe(`401 refresh_token_${end === "logout" ? "revoked" : "expired"}`);
      expect(response.headers.getSetCookie().map((line) => /^([^=]+)=; Max-Age=0/.exec(line)?.[1])).toEqual([
        COOKIES.access,
        COOKIES.refresh,
        COOKIES.session,
        COOKIES.retry,
      ]);
      // Its jar is empty, and the browser asks once more.
      expect((await browser.request("GET", SESSION)).status).toBe(401);
      expect(browser.sessions.size).toBe(0);
      expect(browser.log.at(-1)).toBe("ended by 401");
    }
  });

  test("ends the browser's earlier session as soon as the jar holds a newer one, whose owner is told nothing", async () => {
    const http = await startDevices();
    const browser = await boundBrowser(http);
    const [earlier] = browser.sessions.keys();
    await signInBy(http, browser);
    await browser.request("GET", SESSION);
    await browser.settled();
    http.clock.advance(15 * MINUTE);
    expect(await bindingOf(browser)).toBe("device");
    expect([...browser.sessions.keys()]).not.toContain(earlier);
    expect(browser.sessions.size).toBe(1);
    expect(http.events.filter(({ type }) => type === "proof_failed" || type === "reuse_detected")).toEqual(
      [],
    );
    expect(browser.cookies.has(COOKIES.refresh)).toBe(true);
  });

  test("clears nothing of the sign-in that has replaced its session", async () => {
    const http = await startDevices();
    const browser = await boundBrowser(http);
    const { jar, id } = stolenFrom(browser);
    await signInBy(http, browser);
    const response = await prove(http, jar, { "Sec-Secure-Session-Id": id });
    expect(await problemOf(response)).toBe("401 refresh_token_revoked");
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  test("is 503, and the session stays, where the store fails, a hook throws, or there are too many", async () => {
    const broken = { now: false };
    const claims = () => {
      if (broken.now) throw new Error("no claims");
      return {};
    };
    const http = await startDevices({ rateLimit: true, engineOptions: { claims } });
    const browser = await boundBrowser(http);
    const isServed = async () => (await browser.request("GET", "/api/auth/wallet")).status;
    const faulty = async (turn: (on: boolean) => void) => {
      http.clock.advance(15 * MINUTE);
      turn(true);
      const page = await browser.request("GET", "/api/auth/refresh?next=/x");
      const answer = await prove(http, browser.jar(), { "Sec-Secure-Session-Id": sessionOf(browser).id });
      turn(false);
      expect([answer.status, answer.headers.get("retry-after") !== null]).toEqual([503, true]);
      expect(page.status).toBe(503);
      expect(browser.sessions.size).toBe(1);
      expect(browser.log.at(-1)).toBe("refresh 503");
      expect(await bindingOf(browser)).toBe("device");
    };
    await faulty((on) => Object.assign(http.store, { failing: on }));
    await isServed();
    http.clock.advance(15 * MINUTE);
    const { id } = sessionOf(browser);
    for (let sent = 0; sent < REFRESHES_PER_MINUTE; sent += 1) {
      await prove(http, browser.jar(), { "Sec-Secure-Session-Id": id });
    }
    const limited = await prove(http, browser.jar(), { "Sec-Secure-Session-Id": id });
    expect(await problemOf(limited)).toBe("503 rate_limited");
    expect(limited.headers.get("retry-after")).toMatch(/^\d+$/);
  });
});

describe("where keys are required", () => {
  const require = { deviceBinding: "require" } as const;

  test("a copy that is taken after the registration is worth nothing after two minutes, and the browser goes on", async () => {
    const http = await startDevices(require);
    const browser = http.newBrowser();
    await signInBy(http, browser);
    const stolen = browser.jar();
    http.clock.advance(3 * MINUTE);
    const steal = { Cookie: cookieHeader(stolen), "Sec-Fetch-Site": "same-origin" };
    expect(await problemOf(await http.send("POST", "/api/auth/refresh", { headers: steal }))).toBe(
      "401 proof_missing",
    );
    expect(await bindingOf(browser)).toBe("device");
    expect(http.alarms()).toEqual([]);
  });

  test("browsers without device keys, and those whose registration got no answer, go on as everywhere", async () => {
    const http = await startDevices(require);
    for (const lost of [false, true]) {
      const browser = http.newBrowser();
      browser.state.holdsKeys = lost;
      browser.state.loses = (path) => path === REGISTER;
      await signInBy(http, browser);
      for (let life = 1; life <= 5; life += 1) {
        http.clock.advance(10 * MINUTE);
        expect((await browser.request("POST", "/api/auth/refresh")).status).toBe(200);
        await browser.settled();
      }
      expect(await bindingOf(browser)).toBeNull();
    }
  });
});
