import type { Fetch } from "../../src/client/endpoints.ts";
import { createSessionClient, type SessionClient, type SessionState } from "../../src/client.ts";
import { cookieNames } from "../../src/cookie-names.ts";
import { ORIGIN } from "./node.ts";
import { type Loot, Person, type PersonParts } from "./person.ts";
import { MINUTE, type PersonDoes, type PersonPlan, SECOND, START_MS } from "./plan.ts";
import { VirtualBrowser } from "./virtual-browser.ts";

const COOKIES = cookieNames("ws");
const BASE = `${ORIGIN}/api/auth`;
const CLOCKS_DIFFER_MS = 3 * SECOND;
const TABS_MAX = 4;
/** Four tabs wait no longer than this for each other; then they go on without the lock. */
const QUICK_MS = SECOND;
const SLOW_LASTS_MS = 5 * SECOND;
const HURRIES_AT_MS = [0, 300, SECOND, 3 * SECOND];

interface Tab {
  readonly client: SessionClient;
  readonly openedAtMs: number;
  readonly close: () => void;
}

/** Somebody with tabs of one browser. */
export class BrowserPerson extends Person {
  readonly browser: VirtualBrowser;
  /** Of all tabs that were open. */
  tabMs = 0;
  readonly #plan: PersonPlan & { kind: "browser" };
  #tabs: Tab[] = [];
  /** When the refreshes began that are not answered yet. */
  readonly #underWay = new Set<{ readonly begunAtMs: number; readonly isRefresh: boolean }>();
  #slowUntilMs = 0;
  /** Page loads under way. */
  #loads = 0;

  constructor(name: string, plan: PersonPlan & { kind: "browser" }, parts: PersonParts) {
    super(name, plan.account, parts);
    this.#plan = plan;
    this.browser = new VirtualBrowser(this.machine, this.wire, ORIGIN, plan.parts);
  }

  enter(): void {
    const first = this.#openTab();
    this.#signInBy(first).catch(() => this.signInSoon());
    while (this.#tabs.length < this.#plan.tabs) this.#openTab();
  }

  #openTab(): Tab {
    const closing = new AbortController();
    const client = createSessionClient({
      basePath: BASE,
      fetch: this.#watched(this.browser.fetchUntil(closing.signal)),
      environment: this.browser.environment,
      leewaySeconds: this.parts.setting.leewayMs / SECOND,
    });
    let sessionId: string | undefined;
    client.subscribe((state) => {
      if (closing.signal.aborted) return;
      if (state.status === "signed-in") sessionId = state.sessionId;
      if (state.status === "signed-out") this.becameSignedOut(sessionId, state.reason);
    });
    const stop = client.start();
    const openedAtMs = this.machine.nowMs;
    const close = () => {
      closing.abort();
      stop();
      this.tabMs += this.machine.nowMs - openedAtMs;
      this.#tabs = this.#tabs.filter((other) => other !== tab);
    };
    const tab = { client, openedAtMs, close };
    this.#tabs.push(tab);
    return tab;
  }

  /** Tabs that share locks refresh one after the other, unless one takes long. */
  #watched(fetch: Fetch): Fetch {
    return async (input, init) => {
      const begunAtMs = this.machine.nowMs;
      const isRefresh = String(input).endsWith("/refresh") && !init?.signal?.aborted;
      if (isRefresh) this.#judgeRefresh(begunAtMs);
      const own = { begunAtMs, isRefresh };
      this.#underWay.add(own);
      try {
        return await fetch(input, init);
      } finally {
        this.#underWay.delete(own);
        if (this.machine.nowMs - begunAtMs >= QUICK_MS / 2)
          this.#slowUntilMs = this.machine.nowMs + SLOW_LASTS_MS;
      }
    };
  }

  #judgeRefresh(nowMs: number): void {
    const { locks, deviceKeys } = this.#plan.parts;
    const others = [...this.#underWay];
    // A question may go before a refresh, and the other tabs wait for both.
    const isQuick = others.every(({ begunAtMs }) => nowMs - begunAtMs < QUICK_MS);
    const isSecond = others.some(({ isRefresh }) => isRefresh);
    if (locks && !deviceKeys && isSecond && isQuick && nowMs > this.#slowUntilMs)
      this.parts.judge.fail("storm", `${this.name} refreshes twice at once`);
  }

  act(does: PersonDoes, tab: number, ms: number): void {
    if (this.machine.isAsleep) return;
    const { browser, machine } = this;
    const chosen = this.#tabs[tab % Math.max(1, this.#tabs.length)];
    switch (does) {
      case "opens a tab":
        if (this.#tabs.length < TABS_MAX)
          this.#openTab()
            .client.check()
            .catch(() => {});
        return;
      case "closes a tab":
        if (this.#tabs.length > 1) chosen?.close();
        // Without channels, one that was told of an end may not know of the sign-in after it.
        for (const { client } of this.#tabs) {
          if (client.state.status !== "signed-in") client.check().catch(() => {});
        }
        return;
      case "sleeps":
        // An answer that is slept over sets a cookie that outlives its token, and nothing is renewed until it has ended too.
        // A refresh that is slept over while its session is bound comes as a thief's would.
        if (browser.keys === null || browser.inFlight === 0) this.sleepFor(ms);
        return;
      case "crashes":
        // The jar is there when it opens again.
        for (const one of this.#tabs) one.close();
        machine.plan({ label: "opens the browser", delayMs: 2 * SECOND }, () => {
          if (this.#tabs.length === 0)
            this.#openTab()
              .client.check()
              .catch(() => {});
        });
        return;
      case "is woken":
        browser.wake();
        return;
      case "sets the clock":
        browser.wallOffsetMs += machine.random.pick([-1, 1]) * ms;
        return;
      case "signs in again":
        // Without locks, a renewal's late answer can undo another tab's sign-in, and no lock holds a browser's own:
        // docs/decisions/0032.
        if (chosen && this.#plan.parts.locks && !this.#renewsBeside() && this.#loads === 0)
          this.#signInBy(chosen).catch(() => {});
        return;
      case "signs out":
        if (this.#plan.parts.locks && !this.#renewsBeside() && this.#loads === 0)
          chosen?.client.signOut().catch(() => {});
        return;
      case "ends the others":
        chosen?.client.fetch(`${BASE}/sessions`, { method: "DELETE" }).catch(() => {});
        return;
      case "fetches":
        chosen?.client.fetch(`${BASE}/session`).catch(() => {});
        return;
      case "refreshes":
        chosen?.client.refresh().catch(() => {});
        return;
      case "hurries":
        this.#hurry();
        return;
      case "loads a page":
        this.#loadPage();
        return;
      case "checks":
        chosen?.client.check().catch(() => {});
        return;
      case "ensures freshness":
        if (chosen) this.#ensureFresh(chosen);
        return;
      default:
        does satisfies never;
    }
  }

  /** All tabs refresh, again and again, however young the jar. */
  #hurry(): void {
    for (const delayMs of HURRIES_AT_MS) {
      this.machine.plan({ label: "hurries", delayMs }, () => {
        for (const { client } of this.#tabs) client.refresh().catch(() => {});
      });
    }
  }

  #loadPage(): void {
    // With a device key it waits for the browser first; that is for the tests of pages.
    if (this.browser.keys !== null) return;
    this.#loads += 1;
    this.browser
      .loadPage(`${BASE}/refresh`)
      .catch(() => {})
      .finally(() => {
        this.#loads -= 1;
      });
  }

  #ensureFresh({ client }: Tab): void {
    const minTtlMs = this.parts.setting.accessTtlMs / 3;
    client.ensureFresh(minTtlMs).then(
      ({ status }) => {
        if (status !== "signed-in" || this.browser.keys !== null || this.#jarIsFresh(minTtlMs)) return;
        this.parts.judge.fail("old jar", `${this.name}: ensureFresh left an old jar`);
      },
      () => {},
    );
  }

  /** By what its access token says of itself; the jar of a sleeping or unlucky browser may hold an old one. */
  #jarIsFresh(minTtlMs: number): boolean {
    const [, claims = ""] = (this.browser.jar.get(COOKIES.access) ?? "").split(".");
    if (claims === "") return true;
    const { iat, exp } = JSON.parse(Buffer.from(claims, "base64url").toString());
    const now = START_MS + this.machine.nowMs;
    const twoLeewaysMs = 2 * this.parts.setting.leewayMs;
    return (
      exp * SECOND - now >= minTtlMs - CLOCKS_DIFFER_MS ||
      now - iat * SECOND <= twoLeewaysMs + CLOCKS_DIFFER_MS
    );
  }

  /** Whether the browser would renew beside a request. */
  #renewsBeside(): boolean {
    const leftMs = this.browser.jar.leftMs(COOKIES.access);
    return this.browser.keys !== null && leftMs > 0 && leftMs < 2 * MINUTE + 10 * SECOND;
  }

  protected async signIn(): Promise<void> {
    if (!this.#plan.parts.locks) {
      // What other tabs have under way could undo it.
      for (const tab of this.#tabs.slice(1)) tab.close();
      if (this.browser.inFlight > 0) return;
    }
    await this.#signInBy(this.#tabs[0] ?? this.#openTab());
  }

  #signInBy({ client }: Tab): Promise<SessionState> {
    const { account, sign } = this.keypair;
    return client.signIn({ account, sign });
  }

  protected isSignedOut(): boolean {
    const [first] = this.#tabs;
    return first === undefined || first.client.state.status !== "signed-in";
  }

  protected places(): number {
    return this.#tabs.length;
  }

  protected woken(): void {
    this.browser.wake();
  }

  loot(): Loot | null {
    const { jar } = this.browser;
    const refreshToken = jar.get(COOKIES.refresh);
    if (!refreshToken) return null;
    const accessToken = jar.get(COOKIES.access) ?? null;
    return { cookies: jar.header, accessToken, refreshToken, retryKey: jar.get(COOKIES.retry) ?? null };
  }

  async conclude(): Promise<void> {
    const { judge } = this.parts;
    const last = this.#openTab();
    let truth = await this.#settled(last);
    // The session may have come to its end a moment ago, or while the tabs were asked.
    if (this.#tabs.some(({ client }) => client.state.status === "signed-out"))
      truth = await this.#settled(last);
    if (truth.status !== "signed-in")
      judge.fail("disagreement", `${this.name} cannot be signed in: ${JSON.stringify(truth)}`);
    for (const { client } of this.#tabs) {
      if (JSON.stringify(client.state) !== JSON.stringify(truth))
        judge.fail(
          "disagreement",
          `a tab of ${this.name} knows ${JSON.stringify(client.state)}, another ${JSON.stringify(truth)}`,
        );
    }
  }

  /** Signed in by this tab if need be, and the others have heard of it. Returns what this one knows. */
  async #settled(last: Tab): Promise<SessionState> {
    let truth = await last.client.check();
    if (truth.status === "signed-out") truth = await this.#signInBy(last);
    await this.machine.pause(SECOND);
    // A tab that was told nothing asks again, as a page does; without channels it learns so of another tab's sign-in.
    for (const { client } of this.#tabs) {
      if (!this.#plan.parts.channels || client.state.status === "unknown")
        await client.check().catch(() => {});
    }
    return truth;
  }

  leave(): void {
    for (const tab of this.#tabs) tab.close();
  }
}
