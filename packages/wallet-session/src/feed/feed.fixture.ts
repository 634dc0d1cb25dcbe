import { afterEach, beforeEach, expect } from "vitest";
import { EventStreams } from "../../test/event-streams.ts";
import { type Handler, json, ScriptedServer } from "../../test/scripted-server.ts";
import { TestPage } from "../../test/test-page.ts";
import type { ClientEnvironment } from "../client/environment.ts";
import { createSessionClient, type SessionClient } from "../client.ts";
import { createSessionFeed, type FeedEvent, type SessionFeed } from "../feed.ts";

export const REFRESH = "POST /api/auth/refresh";
export const SESSION = "GET /api/auth/session";
export const EVENTS = "GET /api/events";

export interface Tab {
  readonly client: SessionClient;
  readonly feed: SessionFeed;
  readonly heard: FeedEvent[];
  readonly statuses: string[];
  /** As when the person closes it. */
  close(): void;
}

/** A browser of the calling file's tests, with tabs that follow a feed, and the scripted server behind it. New for each test. */
export class FeedBrowser {
  server = new ScriptedServer();
  streams = new EventStreams();
  page = new TestPage();
  readonly #tabs: Tab[] = [];

  constructor() {
    beforeEach(async () => {
      this.server = await new ScriptedServer().start();
      this.streams = new EventStreams();
      this.page = new TestPage();
      this.server.answers(SESSION, session("A"));
      this.server.answers(EVENTS, this.streams.handler);
    });
    afterEach(async () => {
      for (const tab of this.#tabs.splice(0)) tab.close();
      await this.server.stop();
    });
  }

  /** A tab whose feed runs as soon as it knows who is signed in. */
  openTab(environment: Partial<ClientEnvironment> = {}): Tab {
    const inPage = { ...this.page.environment, ...environment };
    const { origin } = this.server;
    const basePath = `${origin}/api/auth`;
    const client = createSessionClient({
      basePath,
      fetch: this.page.fetch,
      environment: inPage,
    });
    const feed = createSessionFeed({ client, url: `${origin}/api/events`, environment: inPage });
    const heard: FeedEvent[] = [];
    const statuses: string[] = [];
    feed.subscribe((event) => heard.push(event));
    feed.onStatus(() => statuses.push(feed.status));
    const stopClient = client.start();
    const stopFeed = feed.start();
    const close = () => {
      stopFeed();
      stopClient();
    };
    const tab = { client, feed, heard, statuses, close };
    this.#tabs.push(tab);
    return tab;
  }

  async liveTab(environment: Partial<ClientEnvironment> = {}): Promise<Tab> {
    const tab = this.openTab(environment);
    await tab.client.check();
    await expect.poll(() => tab.feed.status).toBe("live");
    return tab;
  }

  /** A tab that the browser has frozen while it held the connection: it has the lock, and neither speaks nor answers. */
  async freezeHolder(sessionId: string): Promise<{ readonly taken: Promise<void> }> {
    const name = `wallet-session feed ${this.server.origin}/api/events ${sessionId}`;
    let taken = () => {};
    const lost = new Promise<void>((resolve) => {
      taken = resolve;
    });
    await new Promise<void>((resolve) => {
      const forEver = new Promise<void>(() => {});
      this.page.environment.locks
        ?.request(name, { signal: new AbortController().signal }, () => {
          resolve();
          return forEver;
        })
        .catch(taken);
    });
    return { taken: lost };
  }
}

export const session = (sessionId: string): Handler =>
  json({ actor_id: "G", session_id: sessionId, expires_in: 900 });

export const ids = (tab: Tab) => tab.heard.map(({ id }) => id);
