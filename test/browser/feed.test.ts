// The feed and the hooks in a real browser: its locks, its channels, its frozen tabs.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { EventStreams } from "../../packages/wallet-session/test/event-streams.ts";
import { json, problem, ScriptedServer } from "../../packages/wallet-session/test/scripted-server.ts";
import { bundle } from "./bundle.ts";
import { launchChromium } from "./chromium.ts";
import { freeze } from "./freeze.ts";

const SOON = { timeout: 30_000 };
/** A tab that is silent for 8 to 10 s is asked whether it is there, and given up 3 s later. */
const SILENT_MS = 10_000;
const GIVEN_UP_MS = 3_000;

let script: string;
let chrome: Browser;
let context: BrowserContext;
let server: ScriptedServer;
let streams: EventStreams;

beforeAll(async () => {
  script = await bundle(new URL("feed-page.ts", import.meta.url));
  chrome = await launchChromium();
});

afterAll(() => chrome?.close());

beforeEach(async () => {
  streams = new EventStreams();
  server = await new ScriptedServer().start();
  server.answers("GET /", (_, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.end('<!doctype html><div id="root"></div><script type="module" src="/page.js"></script>');
  });
  server.answers("GET /page.js", (_, response) => {
    response.writeHead(200, { "content-type": "text/javascript" }).end(script);
  });
  server.answers("GET /api/auth/session", json({ session_id: "A", expires_in: 900 }));
  server.answers("GET /api/events", streams.handler);
  context = await chrome.newContext();
});

afterEach(async () => {
  await context.close();
  await server.stop();
});

async function openTab(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(server.origin);
  return page;
}

const shows = (page: Page) => page.locator("p").textContent();

test("tabs share one connection, and the hooks show what comes", async () => {
  const tabs = [await openTab(), await openTab(), await openTab()];
  for (const tab of tabs) await expect.poll(() => shows(tab), SOON).toBe("A live ");
  streams.send("stream.state", { version: 1 }, "1");
  streams.send("stream.state", { version: 2 }, "2");
  for (const tab of tabs) await expect.poll(() => shows(tab), SOON).toBe("A live 1,2");
  expect(server.calls("GET /api/events")).toHaveLength(1);
});

test("when the tab with the connection is closed, the next one goes on after the last id", async () => {
  const [first, second] = [await openTab(), await openTab()];
  for (const tab of [first, second]) await expect.poll(() => shows(tab), SOON).toBe("A live ");
  streams.send("stream.state", { version: 1 }, "1");
  await expect.poll(() => shows(second), SOON).toBe("A live 1");
  await first.close();
  await expect.poll(() => streams.opened.at(1)?.lastEventId, SOON).toBe("1");
  streams.send("stream.state", { version: 2 }, "2");
  await expect.poll(() => shows(second), SOON).toBe("A live 1,2");
});

test("a frozen tab loses the connection to another one, and catches up when it thaws", async () => {
  const [frozen, other] = [await openTab(), await openTab()];
  for (const tab of [frozen, other]) await expect.poll(() => shows(tab), SOON).toBe("A live ");
  streams.send("stream.state", { version: 1 }, "1");
  await expect.poll(() => shows(other), SOON).toBe("A live 1");
  const thaw = await freeze(frozen);
  for (const ms of [SILENT_MS, GIVEN_UP_MS]) {
    await other.evaluate((skipped) => Reflect.get(window, "skip")(skipped), ms);
  }
  await expect.poll(() => streams.opened.length, SOON).toBe(2);
  streams.send("stream.state", { version: 2 }, "2");
  await expect.poll(() => shows(other), SOON).toBe("A live 1,2");
  await thaw();
  streams.send("stream.state", { version: 3 }, "3");
  for (const tab of [frozen, other]) await expect.poll(() => shows(tab), SOON).toBe("A live 1,2,3");
});

test("a session that is ended elsewhere is shown as ended in every tab", async () => {
  const tabs = [await openTab(), await openTab()];
  for (const tab of tabs) await expect.poll(() => shows(tab), SOON).toBe("A live ");
  server.answers("POST /api/auth/refresh", problem(401, "refresh_token_revoked"));
  streams.send("session.ended", { code: "refresh_token_reused" });
  for (const tab of tabs) await expect.poll(() => shows(tab), SOON).toBe("signed-out idle ");
  expect(server.calls("POST /api/auth/refresh")).toHaveLength(1);
});
