import { onAbort } from "../src/client/abort.ts";
import type { Fetch } from "../src/client/endpoints.ts";
import type { ClientEnvironment, LockOptions } from "../src/client/environment.ts";
import { CookieJar } from "./cookie-jar.ts";
import type { Scheduler } from "./scheduler.ts";

/** What the network makes of a request that arrives; null where the connection is lost. */
export type Network = (request: Request) => Promise<Delivery | null>;

export interface Delivery {
  readonly response: Response;
  /** Beyond the usual. */
  readonly delayMs?: number;
}

const SLOWEST_HOP_MS = 50;
const WALL_START_MS = 1_800_000_000_000;

/** A browser whose timers, locks, channels and requests are turns of a scheduler. All its tabs share the environment. */
export class VirtualBrowser {
  readonly jar = new CookieJar();
  readonly #scheduler: Scheduler;
  readonly #network: Network;
  readonly #locks: VirtualLocks;
  readonly #channels = new Set<{ readonly name: string; readonly hear: (message: unknown) => void }>();
  readonly #wakers = new Set<() => void>();
  #retryKeys = 0;
  #lines = 0;

  constructor(scheduler: Scheduler, network: Network) {
    this.#scheduler = scheduler;
    this.#network = network;
    this.#locks = new VirtualLocks(scheduler);
  }

  readonly environment: ClientEnvironment = {
    now: () => this.#scheduler.nowMs,
    wallNow: () => WALL_START_MS + this.#scheduler.nowMs,
    after: (delayMs, task) => this.#scheduler.plan({ label: "timer", delayMs }, task),
    random: () => this.#scheduler.choose(1_000) / 1_000,
    origin: undefined,
    newRetryKey: () => {
      this.#retryKeys += 1;
      return `retry-key-${String(this.#retryKeys).padStart(8, "0")}`;
    },
    cookies: { read: () => this.jar.header, write: (line) => this.jar.keep(line) },
    locks: { request: (name, options, task) => this.#locks.request(name, options, task) },
    openChannel: (name, hear) => {
      const own = { name, hear };
      const line = this.#newLine();
      this.#channels.add(own);
      return {
        postMessage: (message) => {
          for (const other of this.#channels) {
            if (other === own || other.name !== name) continue;
            this.#scheduler.plan({ label: "message", line: `${line} ${name}` }, () => {
              if (this.#channels.has(other)) other.hear(structuredClone(message));
            });
          }
        },
        close: () => this.#channels.delete(own),
      };
    },
    onWake: (task) => {
      this.#wakers.add(task);
      return () => this.#wakers.delete(task);
    },
  };

  /** Adds the jar as it is now. A request that is given up sets no cookie, whether the server meets it or not. */
  readonly fetch: Fetch = (input, init) => {
    const signal = init?.signal ?? undefined;
    const request = new Request(input, { ...init, signal: null });
    if (this.jar.header !== "") request.headers.set("cookie", this.jar.header);
    request.headers.set("sec-fetch-site", "same-origin");
    const { pathname } = new URL(request.url);
    return new Promise((resolve, reject) => {
      const stopListening = onAbort(signal, () => reject(signal?.reason));
      const settle = (delivery: Delivery | null) => {
        stopListening();
        if (signal?.aborted) return;
        if (delivery === null) return reject(new TypeError("The connection is lost"));
        for (const line of delivery.response.headers.getSetCookie()) this.jar.keep(line);
        resolve(delivery.response);
      };
      this.#hop(`request ${pathname}`, 0, async () => {
        if (signal?.aborted && this.#scheduler.choose(2) === 0) return;
        const delivery = await this.#network(request);
        const answer = delivery && { ...delivery, response: await readWhole(delivery.response) };
        const what = answer === null ? "silence" : String(answer.response.status);
        this.#hop(`answer ${pathname} ${what}`, answer?.delayMs ?? 0, () => settle(answer));
      });
    });
  };

  wake(): void {
    for (const task of this.#wakers) this.#scheduler.plan({ label: "wake" }, task);
  }

  #hop(label: string, extraMs: number, task: () => void | Promise<void>): void {
    const delayMs = 1 + this.#scheduler.choose(SLOWEST_HOP_MS) + extraMs;
    this.#scheduler.plan({ label, delayMs, isRemote: true }, task);
  }

  #newLine(): string {
    this.#lines += 1;
    return `channel ${this.#lines}`;
  }
}

/** So that reading it later waits for nothing outside the virtual world. */
async function readWhole(response: Response): Promise<Response> {
  const { status, headers } = response;
  const body = await response.arrayBuffer();
  return new Response(body.byteLength === 0 ? null : body, { status, headers });
}

interface LockRequest {
  readonly isShared: boolean;
  grant(): void;
  lose(): void;
}

/** Web Locks: in order for each name, shared ones together; the news of a grant or a loss reaches a tab as a turn. */
class VirtualLocks {
  readonly #scheduler: Scheduler;
  readonly #held = new Map<string, Set<LockRequest>>();
  readonly #waiting = new Map<string, LockRequest[]>();
  #requests = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  request<T>(name: string, options: LockOptions, task: () => Promise<T>): Promise<T> {
    this.#requests += 1;
    const line = `lock ${this.#requests}`;
    const signal = "signal" in options ? options.signal : undefined;
    return new Promise<T>((resolve, reject) => {
      const own: LockRequest = {
        isShared: "mode" in options && options.mode === "shared",
        grant: () => {
          this.#holders(name).add(own);
          this.#scheduler.plan({ label: `granted ${name}`, line }, () => {
            stopListening();
            if (signal?.aborted) return this.#release(name, own);
            const release = () => this.#release(name, own);
            task().then(resolve, reject).finally(release);
          });
        },
        lose: () =>
          void this.#scheduler.plan({ label: `stolen ${name}`, line }, () =>
            reject(new DOMException("stolen", "AbortError")),
          ),
      };
      const stopListening = onAbort(signal, () => {
        this.#waiting.set(
          name,
          this.#queue(name).filter((other) => other !== own),
        );
        reject(signal?.reason);
        this.#grantNext(name);
      });
      if (signal?.aborted) return;
      if ("steal" in options) {
        const holders = [...this.#holders(name)];
        this.#held.set(name, new Set());
        for (const holder of holders) holder.lose();
        own.grant();
      } else {
        this.#waiting.set(name, [...this.#queue(name), own]);
        this.#grantNext(name);
      }
    });
  }

  #release(name: string, request: LockRequest): void {
    if (this.#holders(name).delete(request)) this.#grantNext(name);
  }

  #grantNext(name: string): void {
    const [next, ...others] = this.#queue(name);
    if (next === undefined) return;
    const holders = [...this.#holders(name)];
    if (holders.length > 0 && !(next.isShared && holders.every(({ isShared }) => isShared))) return;
    this.#waiting.set(name, others);
    next.grant();
    this.#grantNext(name);
  }

  #holders(name: string): Set<LockRequest> {
    const holders = this.#held.get(name) ?? new Set();
    this.#held.set(name, holders);
    return holders;
  }

  #queue(name: string): LockRequest[] {
    return this.#waiting.get(name) ?? [];
  }
}
