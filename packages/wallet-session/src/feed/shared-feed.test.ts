import { describe, expect, test } from "vitest";
import { cut, json, problem, tokens } from "../../test/scripted-server.ts";
import { EVENTS, FeedBrowser, ids, REFRESH, SESSION, session, type Tab } from "./feed.fixture.ts";

const browser = new FeedBrowser();

async function liveTabs(count: number): Promise<Tab[]> {
  const tabs = [];
  for (let i = 0; i < count; i++) tabs.push(await browser.liveTab());
  return tabs;
}

/** Lets the time pass in which a tab without answer is given up, its timers and the messages in between. */
async function waitOutFrozenTab(): Promise<void> {
  browser.page.pass(10_000);
  await browser.page.settle();
  browser.page.pass(3_000);
}

describe("tabs of one browser", () => {
  test("share one connection: all are live, each gets each event once and in order", async () => {
    const tabs = await liveTabs(6);
    browser.streams.send("stream.state", { version: 1 }, "1");
    browser.streams.send("stream.accrual", { accrued: "0.5000000" });
    browser.streams.send("stream.state", { version: 2 }, "2");
    for (const tab of tabs) {
      await expect
        .poll(() => tab.heard)
        .toEqual([
          { id: "1", type: "stream.state", data: { version: 1 } },
          { id: null, type: "stream.accrual", data: { accrued: "0.5000000" } },
          { id: "2", type: "stream.state", data: { version: 2 } },
        ]);
    }
    expect(browser.server.calls(EVENTS)).toHaveLength(1);
  });

  test("see the same status, when the connection is lost and when it is back", async () => {
    const tabs = await liveTabs(3);
    browser.streams.cut();
    for (const tab of tabs) await expect.poll(() => tab.feed.status).toBe("waiting");
    browser.page.pass(1_000);
    for (const tab of tabs) await expect.poll(() => tab.feed.status).toBe("live");
    expect(browser.server.calls(EVENTS)).toHaveLength(2);
  });

  test("only the one with the connection acts upon what the server says of the session", async () => {
    await liveTabs(4);
    browser.server.answers(REFRESH, tokens("A"));
    browser.streams.send("session.expiring", { expires_in: 60 });
    await expect.poll(() => browser.server.calls(REFRESH).length).toBe(1);
    await browser.page.settle();
    expect(browser.server.calls(REFRESH)).toHaveLength(1);
  });

  test("a session that is ended elsewhere ends in all of them, for the same reason", async () => {
    const tabs = await liveTabs(4);
    browser.server.answers(REFRESH, problem(401, "refresh_token_revoked"));
    browser.streams.send("session.ended", { code: "refresh_token_reused" });
    for (const tab of tabs) {
      await expect
        .poll(() => tab.client.state)
        .toEqual({ status: "signed-out", reason: "refresh_token_reused" });
      expect(tab.feed.status).toBe("idle");
    }
    expect(browser.server.calls(REFRESH)).toHaveLength(1);
  });

  test("waking in one of them makes the one with the connection try at once", async () => {
    browser.server.answers(EVENTS, cut, browser.streams.handler);
    const first = browser.openTab();
    await first.client.check();
    await expect.poll(() => first.feed.status).toBe("waiting");
    let wake = () => {};
    const second = browser.openTab({
      onWake: (task) => {
        wake = task;
        return () => {};
      },
    });
    await second.client.check();
    await expect.poll(() => second.feed.status).toBe("waiting");
    wake();
    await expect.poll(() => first.feed.status).toBe("live");
  });

  test("an account that is switched: all begin anew, and nobody hears of one under the other", async () => {
    const tabs = await liveTabs(4);
    const heard: string[] = [];
    for (const { client, feed } of tabs) {
      feed.subscribe(({ data }) => {
        heard.push(`${client.state.status === "signed-in" ? client.state.sessionId : "nobody"} ${data}`);
      });
    }
    browser.streams.send("stream.state", "of A", "1");
    await expect.poll(() => heard.length).toBe(4);
    browser.server.answers("GET /api/auth/wallet", json({ transaction: "xdr", network_passphrase: "net" }));
    browser.server.answers("POST /api/auth/wallet", tokens("B"));
    browser.server.answers(SESSION, session("B"));
    await tabs[2]?.client.signIn({ account: "G", sign: async () => "signed" });
    browser.streams.send("stream.state", "of A", "2");
    for (const { client, feed } of tabs) {
      await expect.poll(() => client.state).toMatchObject({ sessionId: "B" });
      await expect.poll(() => feed.status).toBe("live");
    }
    await expect.poll(() => browser.streams.open().length).toBe(1);
    browser.streams.send("stream.state", "of B", "3");
    await expect.poll(() => heard.filter((line) => line === "B of B").length).toBe(4);
    expect(heard.filter((line) => line === "B of A" || line === "A of B")).toEqual([]);
    expect(browser.streams.opened.at(-1)?.lastEventId).toBeUndefined();
  });
});

describe("the connection goes to another tab", () => {
  test("when the tab that has it is closed: the next one goes on after the last id", async () => {
    const [first, second, third] = await liveTabs(3);
    browser.streams.send("stream.state", 1, "1");
    await expect.poll(() => third && ids(third)).toEqual(["1"]);
    first?.close();
    await expect.poll(() => browser.streams.opened.length).toBe(2);
    expect(browser.streams.opened[1]?.lastEventId).toBe("1");
    await expect.poll(() => browser.streams.open().length).toBe(1);
    browser.streams.send("stream.state", 2, "2");
    for (const tab of [second, third]) await expect.poll(() => tab && ids(tab)).toEqual(["1", "2"]);
  });

  test("also to one that has heard no event itself: it was told the id on arriving", async () => {
    const [first] = await liveTabs(1);
    browser.streams.send("stream.state", 1, "41");
    await expect.poll(() => first && ids(first)).toEqual(["41"]);
    await liveTabs(1);
    first?.close();
    await expect.poll(() => browser.streams.opened.at(1)?.lastEventId).toBe("41");
  });

  test("also where there was none so far: the server has said where it began", async () => {
    const [first, second] = await liveTabs(2);
    browser.streams.write("id: 57\n\n");
    browser.streams.send("stream.accrual", { accrued: "0.5000000" });
    await expect.poll(() => second && ids(second)).toEqual([null]);
    first?.close();
    await expect.poll(() => browser.streams.opened.at(1)?.lastEventId).toBe("57");
  });

  test("what one says that had it earlier, and thaws, neither sets the others back nor makes them wait", async () => {
    const [first, second] = await liveTabs(2);
    for (const id of ["1", "2"]) browser.streams.send("stream.state", {}, id);
    await expect.poll(() => second && ids(second)).toEqual(["1", "2"]);
    const thawed = browser.page.environment.openChannel(
      `wallet-session feed ${browser.server.origin}/api/events A`,
      () => {},
    );
    const from = "the tab that thaws";
    thawed?.postMessage({ type: "event", from, event: { id: "1", type: "stream.state", data: {} } });
    thawed?.postMessage({ type: "status", from, status: "waiting", lastEventId: null });
    await expect.poll(() => second?.feed.status).toBe("waiting");
    thawed?.close();
    browser.streams.send("stream.accrual", {});
    await expect.poll(() => second?.feed.status).toBe("live");
    first?.close();
    await expect.poll(() => browser.streams.opened.at(1)?.lastEventId).toBe("2");
  });

  test("when the tab that has it is frozen and answers no more, its lock is taken", async () => {
    const { taken } = await browser.freezeHolder("A");
    const tabs = [browser.openTab(), browser.openTab(), browser.openTab()];
    for (const tab of tabs) await tab.client.check();
    await browser.page.settle();
    expect(browser.server.calls(EVENTS)).toHaveLength(0);
    await waitOutFrozenTab();
    await taken;
    for (const tab of tabs) await expect.poll(() => tab.feed.status).toBe("live");
    await expect.poll(() => browser.streams.open().length).toBe(1);
    browser.streams.send("stream.state", 1, "1");
    for (const tab of tabs) await expect.poll(() => ids(tab)).toEqual(["1"]);
  });

  test("not from one that is only quiet: it answers when it is asked", async () => {
    await liveTabs(3);
    for (let i = 0; i < 3; i++) {
      browser.streams.write(": still here\n\n");
      await browser.page.settle();
      await waitOutFrozenTab();
      await browser.page.settle();
    }
    expect(browser.server.calls(EVENTS)).toHaveLength(1);
  });

  test("from one that thaws later: it follows, and no event comes twice", async () => {
    let asleep = false;
    const held: (() => void)[] = [];
    // What reaches a frozen tab waits until it thaws.
    const whenAwake = (task: () => void) => (asleep ? held.push(task) : task());
    const { environment } = browser.page;
    const frozen = await browser.liveTab({
      openChannel: (name, hear) => {
        const channel = environment.openChannel(name, (message) => whenAwake(() => hear(message)));
        return (
          channel && { postMessage: (message) => channel.postMessage(message), close: () => channel.close() }
        );
      },
    });
    const [other] = await liveTabs(1);
    browser.streams.send("stream.state", 1, "1");
    await expect.poll(() => other && ids(other)).toEqual(["1"]);

    asleep = true;
    await waitOutFrozenTab();
    await expect.poll(() => browser.streams.opened.length).toBe(2);
    await expect.poll(() => browser.streams.open().length).toBe(1);
    browser.streams.send("stream.state", 2, "2");
    await expect.poll(() => other && ids(other)).toEqual(["1", "2"]);
    asleep = false;
    for (const task of held.splice(0)) task();
    browser.streams.send("stream.state", 3, "3");
    for (const tab of [frozen, other]) await expect.poll(() => tab && ids(tab)).toEqual(["1", "2", "3"]);
  });
});

describe("where tabs cannot share", () => {
  test.each([
    ["without locks", { locks: undefined }],
    ["without a channel", { openChannel: () => undefined }],
    [
      "with locks that are refused",
      { locks: { request: () => Promise.reject(new DOMException("no", "SecurityError")) } },
    ],
  ])("%s each has a connection of its own, and hears nothing twice", async (_, environment) => {
    const tabs = [await browser.liveTab(environment), await browser.liveTab(environment)];
    expect(browser.server.calls(EVENTS)).toHaveLength(2);
    browser.streams.send("stream.accrual", 1);
    for (const tab of tabs) await expect.poll(() => tab.heard.length).toBe(1);
    await browser.page.settle();
    for (const tab of tabs) expect(tab.heard).toHaveLength(1);
  });
});

test.each([
  null,
  "text",
  { type: "event" },
  { type: "status", from: "x", status: "great" },
  { type: "event", from: "x", event: {} },
])("a message that is none of ours (%j) is dropped", async (message) => {
  const [tab] = await liveTabs(1);
  const name = `wallet-session feed ${browser.server.origin}/api/events A`;
  const channel = browser.page.environment.openChannel(name, () => {});
  channel?.postMessage(message);
  channel?.postMessage({ type: "event", from: "x", event: { id: "9", type: "x", data: 1 } });
  await expect.poll(() => tab?.heard.length).toBe(1);
  channel?.close();
});
