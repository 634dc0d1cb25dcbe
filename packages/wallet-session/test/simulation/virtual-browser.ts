import { onAbort } from "../../src/client/abort.ts";
import type { Fetch } from "../../src/client/endpoints.ts";
import type { ClientEnvironment } from "../../src/client/environment.ts";
import { CookieJar } from "../cookie-jar.ts";
import { createDeviceKeys, type DeviceKeys } from "../device-keys.ts";
import type { Machine } from "./machine.ts";
import { VirtualLocks } from "./virtual-locks.ts";
import type { Sent, Wire } from "./wire.ts";

/** What the browsers have of it. */
export interface BrowserParts {
  readonly channels: boolean;
  readonly locks: boolean;
  readonly deviceKeys: boolean;
}

/** Signatures with device keys in nine minutes. */
const QUOTA = 6;
const HOPS_MAX = 4;
const WALL_START_MS = 1_800_000_000_000;

/** A browser whose timers, locks, channels and requests are turns of its machine. All its tabs share the environment. */
export class VirtualBrowser {
  readonly jar: CookieJar;
  readonly keys: DeviceKeys | null;
  readonly environment: ClientEnvironment;
  /** How far its clock on the wall is off. */
  wallOffsetMs = 0;
  /** Requests on their way, the browser's own among them. */
  inFlight = 0;
  readonly #wire: Wire;
  readonly #channels = new Set<{ readonly name: string; readonly hear: (message: unknown) => void }>();
  readonly #wakers = new Set<() => void>();
  readonly #machine: Machine;
  #lines = 0;

  constructor(machine: Machine, wire: Wire, origin: string, parts: BrowserParts) {
    this.#machine = machine;
    this.#wire = wire;
    const now = () => machine.nowMs;
    this.jar = new CookieJar(now);
    this.keys = parts.deviceKeys
      ? createDeviceKeys({
          post: (path, headers) => this.#send("POST", origin + path, new Headers(headers), null),
          leftMs: (cookie) => this.jar.leftMs(cookie),
          now,
          quota: QUOTA,
        })
      : null;
    this.environment = this.#environment(parts);
  }

  #environment(parts: BrowserParts): ClientEnvironment {
    const machine = this.#machine;
    const newLine = () => {
      this.#lines += 1;
      return this.#lines;
    };
    const openChannel: ClientEnvironment["openChannel"] = (name, hear) => {
      const own = { name, hear };
      const line = newLine();
      this.#channels.add(own);
      return {
        postMessage: (message) => {
          for (const other of this.#channels) {
            if (other === own || other.name !== name) continue;
            machine.plan({ label: "message", line }, () => {
              if (this.#channels.has(other)) other.hear(structuredClone(message));
            });
          }
        },
        close: () => this.#channels.delete(own),
      };
    };
    const { random } = machine;
    return {
      now: () => machine.nowMs,
      wallNow: () => WALL_START_MS + machine.nowMs + this.wallOffsetMs,
      after: (delayMs, task) => machine.plan({ label: "timer", delayMs }, task),
      random: () => random.next(),
      origin: undefined,
      newRetryKey: () => Buffer.from(random.bytes(18)).toString("base64url"),
      cookies: { read: () => this.jar.header, write: (line) => this.jar.keep(line) },
      locks: parts.locks ? new VirtualLocks(machine, newLine) : undefined,
      openChannel: parts.channels ? openChannel : () => undefined,
      onWake: (task) => {
        this.#wakers.add(task);
        return () => this.#wakers.delete(task);
      },
    };
  }

  /** For the pages of one tab, until `closed`. A request that is given up sets no cookie, whether the server meets it or not. */
  fetchUntil(closed: AbortSignal): Fetch {
    return async (input, init) => {
      const abort = new AbortController();
      const giveUp = () => abort.abort();
      const stops = [onAbort(init?.signal ?? undefined, giveUp), onAbort(closed, giveUp)];
      try {
        const headers = new Headers(init?.headers);
        headers.set("sec-fetch-site", "same-origin");
        const body = typeof init?.body === "string" ? init.body : null;
        const url = String(input);
        if (this.keys === null)
          return await this.#send(init?.method ?? "GET", url, headers, body, abort.signal);
        const own = await givenUp(this.keys.hold(new URL(url).pathname), abort.signal);
        for (const [name, value] of Object.entries(own)) headers.set(name, value);
        const response = await this.#send(init?.method ?? "GET", url, headers, body, abort.signal);
        this.keys.read(response);
        return response;
      } finally {
        for (const stop of stops) stop();
      }
    };
  }

  /** As a guarded page sends its visitors to the refresh and back. No script waits for it, and none calls it off. */
  async loadPage(refreshUrl: string): Promise<void> {
    let url = new URL("?next=/streams&else=/sign-in", refreshUrl);
    for (let hops = 0; hops < HOPS_MAX && url.href.startsWith(refreshUrl); hops += 1) {
      const headers = new Headers({
        accept: "text/html",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
        "sec-fetch-site": "none",
      });
      const response = await this.#send("GET", url.href, headers, null);
      url = new URL(response.headers.get("location") ?? "/", url);
    }
  }

  /** With the jar as it is now. */
  async #send(
    method: Sent["method"],
    url: string,
    headers: Headers,
    body: string | null,
    signal?: AbortSignal,
  ): Promise<Response> {
    const { header } = this.jar;
    if (header !== "") headers.set("cookie", header);
    this.inFlight += 1;
    try {
      return await this.#wire.send({ method, url, headers, body }, signal, (response) => {
        for (const line of response.headers.getSetCookie()) this.jar.keep(line);
      });
    } finally {
      this.inFlight -= 1;
    }
  }

  /** Tells the tabs that they may have slept. */
  wake(): void {
    for (const task of this.#wakers) this.#machine.plan({ label: "woken" }, task);
  }
}

/** Rejects once `signal` aborts. */
function givenUp<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stopListening = onAbort(signal, () => reject(signal.reason));
    work.then(resolve, reject).finally(stopListening);
  });
}
