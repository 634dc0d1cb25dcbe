/** What the client takes from the page it runs in. A test, or a host that is no browser, can replace each part. */
export interface ClientEnvironment {
  /** Milliseconds since any moment; never runs backwards, and counts the time that the machine slept. */
  now(): number;
  /** Milliseconds since 1970 by the machine's clock, which may be set. Used only between tabs. */
  wallNow(): number;
  /** Runs `task` once after `ms`. The function returned cancels it. */
  after(ms: number, task: () => void): () => void;
  /** From 0 up to 1; for jitter, not for secrets. */
  random(): number;
  /** The page's origin; undefined outside a page. */
  readonly origin: string | undefined;
  /** A new retry key: unguessable, 16 to 128 characters of a cookie value. */
  newRetryKey(): string;
  /** The cookies that scripts may see, as `document.cookie` gives and takes them. */
  readonly cookies: { read(): string; write(cookie: string): void };
  /** Locks that all tabs of the origin share; undefined if the browser has none. */
  readonly locks: Locks | undefined;
  /**
   * Joins the channel `name`, which all tabs of the origin share, and calls `hear` with what others post there. Gives
   * undefined if the browser has none.
   */
  openChannel(name: string, hear: (message: unknown) => void): Channel | undefined;
  /** Calls `task` whenever the page may have been asleep, hidden or offline until now. The function returned stops that. */
  onWake(task: () => void): () => void;
}

/** The one method of `navigator.locks` that is used. It rejects when another tab steals the lock, and `task` goes on. */
export interface Locks {
  request<T>(name: string, options: LockOptions, task: () => Promise<T>): Promise<T>;
}

/**
 * Waits in line until `signal` aborts; `shared` requests hold the lock together. Or steals it at once, alone, from its holder.
 */
export type LockOptions =
  | { readonly signal: AbortSignal; readonly mode?: "exclusive" | "shared" }
  | { readonly steal: true };

/** The part of a `BroadcastChannel` that is used. */
export interface Channel<T = unknown> {
  /** To all others on the channel, never to this one. */
  postMessage(message: T): void;
  close(): void;
}

/** Longer delays make `setTimeout` fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Works without a page too, so that a client can be made while rendering on the server. */
export function browserEnvironment(): ClientEnvironment {
  return {
    now: wakefulClock(
      () => performance.now(),
      () => Date.now(),
    ),
    wallNow: () => Date.now(),
    after: (ms, task) => {
      const timer = setTimeout(task, Math.min(ms, LONGEST_TIMER_MS));
      return () => clearTimeout(timer);
    },
    random: Math.random,
    origin: typeof location === "undefined" ? undefined : location.origin,
    newRetryKey: () => crypto.getRandomValues(new Uint32Array(6)).join("-"),
    cookies: {
      read: () => (typeof document === "undefined" ? "" : document.cookie),
      write: (cookie) => {
        if (typeof document !== "undefined") {
          // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing in some of the browsers served
          document.cookie = cookie;
        }
      },
    },
    locks: typeof navigator === "undefined" ? undefined : navigator.locks,
    openChannel,
    onWake: listenForWaking,
  };
}

/**
 * Some machines stop the steady clock while they sleep, and the wall clock can be set back: neither alone tells how much time
 * has passed. Of each step the longer one counts; a step that is too long only renews too early.
 */
export function wakefulClock(steady: () => number, wall: () => number): () => number {
  let last: { steady: number; wall: number } | undefined;
  let total = 0;
  return () => {
    const next = { steady: steady(), wall: wall() };
    if (last !== undefined) total += Math.max(next.steady - last.steady, next.wall - last.wall, 0);
    last = next;
    return total;
  };
}

function openChannel(name: string, hear: (message: unknown) => void): Channel | undefined {
  if (typeof BroadcastChannel === "undefined") return undefined;
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }: MessageEvent<unknown>) => hear(data);
  return channel;
}

function listenForWaking(task: () => void): () => void {
  if (typeof window === "undefined") return () => {};
  const whenVisible = () => {
    if (document.visibilityState === "visible") task();
  };
  const stopped = new AbortController();
  const { signal } = stopped;
  document.addEventListener("visibilitychange", whenVisible, { signal });
  for (const event of ["focus", "online", "pageshow"]) window.addEventListener(event, task, { signal });
  return () => stopped.abort();
}
