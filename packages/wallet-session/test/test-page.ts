import type { Fetch } from "../src/client/endpoints.ts";
import type { ClientEnvironment } from "../src/client/environment.ts";
import { CookieJar } from "./cookie-jar.ts";

/** A page for tests: a clock set by hand, a cookie jar shared by its tabs, the real Web Locks and channels of Node. */
export class TestPage {
  jitter = 0.5;
  /** False: timers are throttled away, as in a sleeping machine. */
  timersRun = true;
  #now = 1_000;
  #timers = new Set<{ at: number; task: () => void }>();
  #wakers = new Set<() => void>();
  readonly #jar = new CookieJar();
  readonly #prefix = crypto.randomUUID();
  readonly #network: Fetch;

  /** `network`: what carries the requests; the real `fetch` unless a test puts handlers or faults in its place. */
  constructor(network: Fetch = fetch) {
    this.#network = network;
  }

  readonly environment: ClientEnvironment = {
    now: () => this.#now,
    wallNow: () => 1_800_000_000_000 + this.#now,
    after: (ms, task) => {
      const timer = { at: this.#now + ms, task };
      this.#timers.add(timer);
      return () => this.#timers.delete(timer);
    },
    random: () => this.jitter,
    origin: undefined,
    newRetryKey: () => crypto.randomUUID().replaceAll("-", ""),
    cookies: {
      read: () => this.#jar.header,
      write: (cookie) => this.#jar.keep(cookie),
    },
    locks: {
      request: async (name, options, task) => navigator.locks.request(this.#prefix + name, options, task),
    },
    openChannel: (name, hear) => {
      const channel = new BroadcastChannel(this.#prefix + name);
      channel.onmessage = ({ data }: MessageEvent<unknown>) => hear(data);
      return channel;
    },
    onWake: (task) => {
      this.#wakers.add(task);
      return () => this.#wakers.delete(task);
    },
  };

  /** What the page's own `fetch` does: adds the jar and says where it comes from, and keeps what comes back. */
  readonly fetch: Fetch = async (input, init) => {
    const request = new Request(input, init);
    const cookie = this.#jar.header;
    if (cookie !== "") request.headers.set("cookie", cookie);
    request.headers.set("sec-fetch-site", "same-origin");
    const response = await this.#network(request);
    // What was given up sets nothing, though the server has answered.
    request.signal.throwIfAborted();
    for (const line of response.headers.getSetCookie()) this.#jar.keep(line);
    return response;
  };

  pass(ms: number): void {
    this.#now += ms;
    if (!this.timersRun) return;
    for (const timer of [...this.#timers].filter(({ at }) => at <= this.#now)) {
      this.#timers.delete(timer);
      timer.task();
    }
  }

  wake(): void {
    for (const waker of this.#wakers) waker();
  }

  cookieNames(): string[] {
    return this.#jar.names;
  }

  cookie(name: string): string | undefined {
    return this.#jar.get(name);
  }

  deleteCookie(name: string): void {
    this.#jar.delete(name);
  }

  /** Lets everything that is ready run. */
  async settle(): Promise<void> {
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
  }
}
