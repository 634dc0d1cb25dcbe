import { describe, expect, test } from "vitest";
import { cut, type Handler, json, portal, problem, tokens } from "../test/scripted-server.ts";
import { EVENTS, FeedBrowser, ids, REFRESH, SESSION, session } from "./feed/feed.fixture.ts";
import type { FeedEvent } from "./feed.ts";

const browser = new FeedBrowser();

describe("one tab", () => {
  test("connects when somebody is signed in, and gets typed events", async () => {
    const tab = browser.openTab();
    expect(tab.feed.status).toBe("idle");
    await browser.page.settle();
    expect(browser.server.calls(EVENTS)).toHaveLength(0);
    await tab.client.check();
    await expect.poll(() => tab.feed.status).toBe("live");
    expect(browser.server.calls(EVENTS)[0]?.headers).toMatchObject({ accept: "text/event-stream" });
    browser.streams.send("stream.state", { id: "s", version: 3 }, "7");
    browser.streams.write('data: "no type, no id"\n\n');
    browser.streams.write("event: broken\ndata: {\n\n");
    browser.streams.send("stream.accrual", { accrued: "1.0000000" });
    await expect
      .poll(() => tab.heard)
      .toEqual([
        { id: "7", type: "stream.state", data: { id: "s", version: 3 } },
        { id: null, type: "message", data: "no type, no id" },
        { id: null, type: "stream.accrual", data: { accrued: "1.0000000" } },
      ]);
    expect(tab.statuses).toEqual(["connecting", "live"]);
  });

  test.each([
    ["a stream that the server closes", () => browser.streams.close()],
    ["a connection that is cut", () => browser.streams.cut()],
  ])("%s is opened anew, after the last id", async (_, lose) => {
    const tab = await browser.liveTab();
    browser.streams.send("stream.state", 1, "41");
    browser.streams.write("id: 42\n\n");
    browser.streams.send("stream.accrual", 2);
    await expect.poll(() => tab.heard.length).toBe(2);
    lose();
    await expect.poll(() => tab.feed.status).toBe("waiting");
    browser.page.pass(999);
    await expect.poll(() => browser.streams.opened.length).toBe(2);
    expect(browser.streams.opened.map(({ lastEventId }) => lastEventId)).toEqual([undefined, "42"]);
    await expect.poll(() => tab.feed.status).toBe("live");
  });

  test("half an event before a cut is no event, and its id does not count", async () => {
    const tab = await browser.liveTab();
    browser.streams.send("stream.state", 1, "1");
    browser.streams.write("id: 2\nevent: stream.state\ndata: 2\n");
    await expect.poll(() => ids(tab)).toEqual(["1"]);
    browser.streams.cut();
    await expect.poll(() => tab.feed.status).toBe("waiting");
    browser.page.pass(1_000);
    await expect.poll(() => browser.streams.opened.at(1)?.lastEventId).toBe("1");
  });

  test("tries come further and further apart, up to half a minute, and are jittered", async () => {
    browser.server.answers(EVENTS, cut);
    browser.page.jitter = 0.999_999;
    const tab = browser.openTab();
    await tab.client.check();
    const tries = () => tab.statuses.filter((status) => status === "connecting").length;
    const waits: number[] = [];
    for (let seen = 1; seen <= 7; seen++) {
      await expect.poll(() => tab.statuses.length).toBe(2 * seen);
      let seconds = 0;
      for (; tries() === seen; seconds++) {
        browser.page.pass(1_000);
        await browser.page.settle();
      }
      waits.push(seconds);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30]);
  });

  test.each([
    ["a 503", problem(503, "store_unavailable")],
    ["a 429", problem(429, "rate_limited")],
    [
      "a portal's 200",
      ((_, r) =>
        void r.writeHead(200, { "content-type": "text/html" }).end("<h1>Wi-Fi</h1>")) satisfies Handler,
    ],
    ["a portal's 401", portal],
    [
      "a portal's redirect",
      ((_, r) => void r.writeHead(302, { location: "/portal" }).end()) satisfies Handler,
    ],
    ["a bad gateway", ((_, r) => void r.writeHead(502).end("bad")) satisfies Handler],
    ["JSON", json({ hello: "world" })],
    ["no answer", cut],
  ])("%s is waited out; nobody is signed out", async (_, answer) => {
    browser.server.answers(EVENTS, answer, browser.streams.handler);
    const tab = browser.openTab();
    await tab.client.check();
    await expect.poll(() => tab.feed.status).toBe("waiting");
    expect(tab.client.state.status).toBe("signed-in");
    browser.page.pass(1_000);
    await expect.poll(() => tab.feed.status).toBe("live");
    expect(browser.server.calls(REFRESH)).toHaveLength(0);
  });

  test("comes again at once where the server says so, goes on from the last id, and is no nearer to giving up", async () => {
    const tab = await browser.liveTab();
    for (let handover = 1; handover <= 10; handover++) {
      browser.streams.write("retry: 2000\n\n");
      browser.streams.send("stream.state", handover, String(handover));
      browser.streams.write("retry: 100\n\n");
      browser.streams.close();
      await expect.poll(() => tab.feed.status).toBe("waiting");
      browser.page.pass(100);
      await expect.poll(() => tab.feed.status).toBe("live");
      expect(browser.streams.opened.at(-1)?.lastEventId).toBe(String(handover));
    }
    expect(ids(tab)).toEqual(Array.from({ length: 10 }, (_, index) => String(index + 1)));
    // A server that stops says nothing of the kind.
    browser.streams.write("retry: 2000\n\n");
    browser.streams.close();
    await expect.poll(() => tab.feed.status).toBe("waiting");
    browser.page.pass(999);
    await browser.page.settle();
    expect(tab.feed.status).toBe("waiting");
  });

  test("waits as long as the server asks, and a little more, whatever wakes it", async () => {
    browser.server.answers(
      EVENTS,
      problem(429, "rate_limited", { "retry-after": "120" }),
      browser.streams.handler,
    );
    const tab = browser.openTab();
    await tab.client.check();
    await expect.poll(() => tab.feed.status).toBe("waiting");
    browser.page.pass(119_999);
    browser.page.wake();
    await browser.page.settle();
    expect(browser.server.calls(EVENTS)).toHaveLength(1);
    browser.page.pass(30_000);
    await expect.poll(() => tab.feed.status).toBe("live");
  });

  test("on waking it tries at once", async () => {
    browser.server.answers(EVENTS, cut, browser.streams.handler);
    const tab = browser.openTab();
    await tab.client.check();
    await expect.poll(() => tab.feed.status).toBe("waiting");
    browser.page.wake();
    await expect.poll(() => tab.feed.status).toBe("live");
  });

  test("on waking, a connection that has been silent is not trusted; one that has spoken is kept", async () => {
    browser.page.timersRun = false;
    const tab = await browser.liveTab();
    browser.page.pass(19_000);
    browser.page.wake();
    await browser.page.settle();
    expect(tab.feed.status).toBe("live");
    browser.page.pass(3_600_000);
    browser.page.wake();
    await expect.poll(() => browser.streams.opened[0]?.response.destroyed).toBe(true);
    browser.page.timersRun = true;
    browser.page.pass(1_000);
    await expect.poll(() => browser.streams.opened.length).toBe(2);
  });

  test("silence for too long is a lost connection; a comment is none", async () => {
    const tab = await browser.liveTab();
    browser.page.pass(40_000);
    browser.streams.write(": still here\n\n");
    browser.streams.send("stream.state", 1, "1");
    await expect.poll(() => tab.heard.length).toBe(1);
    browser.page.pass(40_000);
    await browser.page.settle();
    expect(tab.feed.status).toBe("live");
    browser.page.pass(5_000);
    await expect.poll(() => tab.feed.status).toBe("waiting");
  });

  test("an answer that does not begin is given up", async () => {
    browser.server.answers(EVENTS, () => {}, browser.streams.handler);
    const tab = browser.openTab();
    await tab.client.check();
    await expect.poll(() => browser.server.calls(EVENTS).length).toBe(1);
    browser.page.pass(20_000);
    await expect.poll(() => tab.feed.status).toBe("waiting");
    browser.page.pass(1_000);
    await expect.poll(() => tab.feed.status).toBe("live");
  });

  test("an event without end is not collected for ever", async () => {
    const tab = await browser.liveTab();
    const line = `data: ${"x".repeat(99_990)}\n`;
    for (let i = 0; i < 12; i++) browser.streams.write(line);
    await expect.poll(() => tab.feed.status).toBe("waiting");
    expect(tab.heard).toEqual([]);
  });

  test("a listener that throws keeps nothing from the others", async () => {
    const thrown: unknown[] = [];
    const note = (error: unknown) => thrown.push(error);
    const others = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection").on("unhandledRejection", note);
    try {
      const tab = browser.openTab();
      tab.feed.subscribe(() => {
        throw new Error("a mistake of the page");
      });
      const after: FeedEvent[] = [];
      tab.feed.subscribe((event) => after.push(event));
      await tab.client.check();
      await expect.poll(() => tab.feed.status).toBe("live");
      browser.streams.send("stream.state", 1, "1");
      browser.streams.send("stream.state", 2, "2");
      await expect.poll(() => after.length).toBe(2);
      expect(thrown).toHaveLength(2);
    } finally {
      process.off("unhandledRejection", note);
      for (const listener of others) process.on("unhandledRejection", listener);
    }
  });
});

describe("the session", () => {
  test("a 401 on connecting is cured by a renewal", async () => {
    browser.server.answers(EVENTS, problem(401, "access_token_expired"), browser.streams.handler);
    browser.server.answers(REFRESH, tokens("A"));
    const tab = await browser.liveTab();
    expect(browser.server.calls(REFRESH)).toHaveLength(1);
    expect(tab.client.state.status).toBe("signed-in");
  });

  test("session.expiring renews; session.renewed does nothing", async () => {
    const tab = await browser.liveTab();
    browser.server.answers(REFRESH, tokens("A"));
    browser.streams.send("session.expiring", { expires_in: 60 });
    await expect.poll(() => browser.server.calls(REFRESH).length).toBe(1);
    browser.streams.send("session.renewed", { expires_in: 900 });
    await expect.poll(() => tab.heard.length).toBe(2);
    expect(browser.server.calls(REFRESH)).toHaveLength(1);
    expect(browser.streams.opened).toHaveLength(1);
  });

  test("session.ended is put to the server, keeps its reason, and stops the feed", async () => {
    const tab = await browser.liveTab();
    browser.server.answers(REFRESH, problem(401, "refresh_token_revoked"));
    browser.streams.send("session.ended", { code: "refresh_token_reused" });
    await expect
      .poll(() => tab.client.state)
      .toEqual({ status: "signed-out", reason: "refresh_token_reused" });
    expect(tab.feed.status).toBe("idle");
    browser.page.pass(3_600_000);
    await browser.page.settle();
    expect(browser.streams.opened).toHaveLength(1);
  });

  test("session.ended that the server does not confirm ends nothing: the feed goes on", async () => {
    const tab = await browser.liveTab();
    browser.server.answers(REFRESH, tokens("A"));
    browser.streams.send("session.ended", { code: "session_revoked" });
    await expect.poll(() => tab.feed.status).toBe("waiting");
    browser.page.pass(1_000);
    await expect.poll(() => tab.feed.status).toBe("live");
    expect(tab.client.state.status).toBe("signed-in");
  });

  test("an access token that nobody renewed in time is renewed, and the feed goes on", async () => {
    const tab = await browser.liveTab();
    browser.server.answers(REFRESH, tokens("A"));
    browser.streams.send("session.ended", { code: "access_token_expired" });
    await expect.poll(() => browser.server.calls(REFRESH).length).toBe(1);
    await expect.poll(() => tab.feed.status).toBe("waiting");
    browser.page.pass(1_000);
    await expect.poll(() => tab.feed.status).toBe("live");
  });

  test("signing out stops it, signing in anew begins it anew, and no id is carried over", async () => {
    const tab = await browser.liveTab();
    browser.streams.send("stream.state", 1, "41");
    await expect.poll(() => tab.heard.length).toBe(1);
    browser.server.answers("POST /api/auth/logout", (_, response) => void response.writeHead(204).end());
    await tab.client.signOut();
    expect(tab.feed.status).toBe("idle");
    await expect.poll(() => browser.streams.open()).toEqual([]);
    browser.server.answers("GET /api/auth/wallet", json({ transaction: "xdr", network_passphrase: "net" }));
    browser.server.answers("POST /api/auth/wallet", tokens("B"));
    browser.server.answers(SESSION, session("B"));
    await tab.client.signIn({ account: "G", sign: async () => "signed" });
    await expect.poll(() => tab.feed.status).toBe("live");
    expect(browser.streams.opened.map(({ lastEventId }) => lastEventId)).toEqual([undefined, undefined]);
  });

  test("a jar that holds another session by now: nothing of it is delivered under the earlier one", async () => {
    const tab = browser.openTab({ openChannel: () => undefined });
    await tab.client.check();
    const delivered: unknown[] = [];
    tab.feed.subscribe((event) => delivered.push([tab.client.state, event.data]));
    // Another tab has signed in as B, of which this one has not heard; what B's stream says is B's.
    browser.server.answers(SESSION, session("B"));
    browser.server.answers(EVENTS, (request, response) => {
      browser.streams.handler(request, response);
      browser.streams.send("stream.state", "of B", "1");
    });
    await expect.poll(() => delivered).not.toEqual([]);
    expect(delivered).toEqual([[{ status: "signed-in", sessionId: "B" }, "of B"]]);
  });

  test("stopping it closes the connection", async () => {
    const tab = await browser.liveTab();
    tab.close();
    await expect.poll(() => browser.streams.open()).toEqual([]);
    expect(tab.feed.status).toBe("idle");
  });
});
