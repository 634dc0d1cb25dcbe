// Device Bound Session Credentials where answers get lost, and requests meet.
import { describe, expect, test } from "vitest";
import { boundBrowser, MINUTE, REFRESH, signInBy, startDevices } from "../device.fixture.ts";
import { readJson } from "../http.fixture.ts";

const SESSION = "/api/auth/session";

test("the answer to the first proof is lost: the browser proves again, and is bound", async () => {
  const http = await startDevices();
  const browser = http.newBrowser();
  const sessionId = await signInBy(http, browser);
  let lost = 0;
  browser.state.loses = (path) =>
    path === REFRESH && http.events.some(({ type }) => type === "bound") && lost++ < 1;
  http.clock.advance(2 * MINUTE);
  expect(await readJson(await browser.request("GET", SESSION))).toMatchObject({
    session_id: sessionId,
    binding: "device",
    generation: 2,
  });
  expect(lost).toBeGreaterThan(0);
  expect(http.alarms()).toEqual([]);
});

test("no answer arrives for an hour, and then the browser goes on where it was", async () => {
  const http = await startDevices();
  const browser = await boundBrowser(http);
  browser.state.loses = (path) => path === REFRESH;
  for (let minute = 0; minute < 60; minute += 1) {
    http.clock.advance(MINUTE);
    const { status } = await browser.request("GET", SESSION);
    // Within the last two minutes it asks beside the request.
    expect(status).toBe(minute < 14 ? 200 : 401);
    await browser.settled();
  }
  browser.state.loses = () => false;
  expect((await browser.request("GET", SESSION)).status).toBe(200);
  expect(browser.log.filter((line) => line.startsWith("ended"))).toEqual([]);
  expect(http.alarms()).toEqual([]);
  expect(http.events.filter(({ type }) => type === "proof_failed")).toEqual([]);
});

test("a sign-in in the last moments of the earlier session is not overtaken by its renewal", async () => {
  const http = await startDevices();
  const browser = await boundBrowser(http);
  http.clock.advance(14 * MINUTE);
  const before = browser.log.length;
  const sessionId = await signInBy(http, browser);
  // Beside a request in scope the browser would have renewed the earlier one.
  expect(browser.log.slice(before)).toEqual(["register 200"]);
  expect(await readJson(await browser.request("GET", SESSION))).toMatchObject({ session_id: sessionId });
});

test("many requests at once wait for one refresh", async () => {
  const http = await startDevices();
  const browser = await boundBrowser(http);
  http.clock.advance(15 * MINUTE);
  const before = browser.log.length;
  const answers = await Promise.all(Array.from({ length: 10 }, () => browser.request("GET", SESSION)));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
  expect(browser.log.slice(before)).toEqual(["refresh 200"]);
});

describe("a session that its browser is about to bind", () => {
  test("is refreshed by a page at the same moment: the session goes on, and is bound upon the next offer", async () => {
    for (let turn = 0; turn < 20; turn += 1) {
      const http = await startDevices();
      const browser = http.newBrowser();
      await signInBy(http, browser);
      http.clock.advance(61_000);
      // The page's script holds the jar that it had before.
      const requests = [
        browser.request("GET", SESSION),
        browser.request("POST", "/api/auth/refresh"),
        browser.request("POST", "/api/auth/refresh"),
      ];
      await Promise.all(requests);
      await browser.settled();
      for (let again = 0; again < 3; again += 1) {
        http.clock.advance(10 * MINUTE);
        if (browser.sessions.size === 0) await browser.request("POST", "/api/auth/refresh");
        await browser.settled();
        expect((await browser.request("GET", SESSION)).status).toBe(200);
        await browser.settled();
      }
      expect(await readJson(await browser.request("GET", SESSION))).toMatchObject({ binding: "device" });
      expect(http.alarms()).toEqual([]);
    }
  });

  test("is signed out at the same moment: nothing opens it afterwards", async () => {
    for (let turn = 0; turn < 20; turn += 1) {
      const http = await startDevices();
      const browser = await boundBrowser(http);
      http.clock.advance(14 * MINUTE);
      const id = [...browser.sessions.keys()][0] ?? "";
      const before = browser.jar();
      await Promise.all([
        browser.request("GET", SESSION),
        browser.request("POST", "/api/auth/logout"),
        browser.request("GET", SESSION),
      ]);
      await browser.settled();
      const response = await http.send("POST", REFRESH, {
        headers: {
          Cookie: [...before].map(([name, { value }]) => `${name}=${value}`).join("; "),
          "Sec-Secure-Session-Id": id,
        },
      });
      expect(response.status).toBe(401);
      expect((await browser.request("GET", SESSION)).status).toBe(401);
      // A renewal may have overtaken the sign-out in the jar: what is there is of no use, and goes with the next refresh.
      http.clock.advance(15 * MINUTE);
      expect((await browser.request("GET", SESSION)).status).toBe(401);
      expect([browser.sessions.size, browser.jar().size]).toEqual([0, 0]);
    }
  });

  test("is registered twice: the second key counts, and the first one's session ends at the browser", async () => {
    const http = await startDevices();
    const browser = http.newBrowser();
    await signInBy(http, browser);
    http.clock.advance(10 * MINUTE);
    browser.state.loses = (path) => path === REFRESH;
    // No proof has come, and the page's script goes on as with any session.
    expect((await browser.request("POST", "/api/auth/refresh")).status).toBe(200);
    await browser.settled();
    expect(browser.sessions.size).toBe(2);
    browser.state.loses = () => false;
    http.clock.advance(2 * MINUTE);
    expect(await readJson(await browser.request("GET", SESSION))).toMatchObject({ binding: "device" });
    expect(browser.sessions.size).toBe(1);
    expect(browser.log.filter((line) => line.startsWith("ended"))).toEqual(["ended by 401"]);
    expect(http.events.filter(({ type }) => type === "proof_failed")).toEqual([]);
  });
});
