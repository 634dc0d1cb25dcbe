import { type Clock, elapsedMs, type RandomBytes } from "../clock.ts";
import type { EventSink } from "../events.ts";
import { inRequest } from "../request-context.ts";
import type { SecurityEventRecord, SessionStore } from "../store.ts";
import {
  type SecurityEvent,
  type SecurityEventHandler,
  SecurityEventRefused,
  securityEventOf,
} from "./security-event.ts";
import type { WaitingEvents } from "./session-engine.ts";
import type { Every } from "./timers.ts";

/** How long a delivery claim lasts unless it is renewed. */
const DELIVERY_CLAIM_MS = 30_000;
/** Events that are looked at together, and of these delivered at one time. */
const SECURITY_EVENTS_BATCH = 100;
const SECURITY_EVENTS_AT_ONCE = 8;
/** For one delivery. Much less than the claim. */
const SECURITY_EVENT_TIMEOUT_MS = 10_000;
/** An event that was refused so often is given up: that takes about a quarter of an hour. */
const SECURITY_EVENT_REFUSALS = 10;
/** How long running deliveries have to end when the process stops. */
const SECURITY_EVENTS_CLOSE_MS = 2_000;

interface Failing {
  readonly backoff: ReturnType<typeof createBackoff>;
  /** Tries that said something of this event rather than of the receiver. */
  refusals: number;
  /** What `delivered` was when it failed last. */
  deliveredAtLastFailure: number;
}

/**
 * Delivers the security events of the store, at least once each, in the background.
 *
 * One process at a time has the delivery claim and delivers. It renews the claim with each round, so another process takes
 * over from a dead one once the claim has run out. Events are deleted up to the first one that is not done: after a crash the
 * events behind that one come again.
 *
 * An event that fails is tried again, each time later. While none gets through, all wait, and one event at a time finds out
 * whether the receiver is back. The policy for a single bad event is *blame by comparison*: a failure counts against the event,
 * not against the receiver, where the receiver refused it, where other events got through since its last failure, or where it
 * holds back half a batch of done events. Ten such failures, and it is given up: else it would hold up all later events.
 */
export function createOutbox(options: {
  readonly store: Pick<SessionStore, "claimEvents" | "settleEvents">;
  readonly handler: SecurityEventHandler;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly every: Every;
  readonly onEvent: EventSink;
}) {
  const { store, clock, random, onEvent } = options;
  const owner = Buffer.from(random(16)).toString("base64url");
  const closing = new AbortController();
  /** By position: delivered or given up, and not deleted yet. */
  const done = new Set<number>();
  const failing = new Map<number, Failing>();
  const receiver = createBackoff(clock, random);
  let delivered = 0;
  let waiting: readonly SecurityEventRecord[] | null = [];
  let running: Promise<void> | null = null;
  let again = false;
  let closed = false;

  /** Delivers what there is, where this process has the delivery claim or gets it. Calls at the same time share one run. Never rejects. */
  function deliver(): Promise<void> {
    again = true;
    // A later delivery is no part of the request that ended the session.
    running ??= inRequest(undefined, deliverAll).finally(() => {
      running = null;
    });
    return running;
  }

  async function deliverAll(): Promise<void> {
    while (again && !closed) {
      again = false;
      // A fault of the store was reported where it was met; the next round finds the events where they were.
      again = (await deliverSome().catch(() => false)) || again;
    }
  }

  /** One round. True where there may be more to do at once. */
  async function deliverSome(): Promise<boolean> {
    const now = clock.now();
    const until = now + DELIVERY_CLAIM_MS;
    waiting = await store.claimEvents({ owner, now, until, limit: SECURITY_EVENTS_BATCH });
    if (waiting === null) return forget();
    const events = waiting;
    const due = receiver.waits() ? [] : dueOf(events);
    const answered = await Promise.all(due.map(attempt));
    if (answered.includes(true)) receiver.succeeded();
    else if (due.length > 0) receiver.failed();
    return (await settle(events)) && due.length > 0;
  }

  /** Those that have failed least first: while the receiver fails, an event that is to blame must not be the only one tried. */
  function dueOf(events: readonly SecurityEventRecord[]): SecurityEventRecord[] {
    const failuresOf = ({ position }: SecurityEventRecord) => failing.get(position)?.backoff.failures() ?? 0;
    return events
      .filter(({ position }) => !done.has(position) && !failing.get(position)?.backoff.waits())
      .sort((one, other) => failuresOf(one) - failuresOf(other))
      .slice(0, receiver.failures() > 0 ? 1 : SECURITY_EVENTS_AT_ONCE);
  }

  /** Whether the receiver has answered. A refusal is an answer. */
  async function attempt(record: SecurityEventRecord): Promise<boolean> {
    const event = securityEventOf(record);
    const { id, sessionId } = event;
    try {
      await withinTime(options.handler, event, options.every, closing.signal);
    } catch (cause) {
      if (!closing.signal.aborted) failed(record, event, cause);
      return cause instanceof SecurityEventRefused;
    }
    delivered += 1;
    done.add(record.position);
    onEvent({ type: "security_event_delivered", id, sessionId });
    return true;
  }

  function failed({ position }: SecurityEventRecord, { id, sessionId }: SecurityEvent, cause: unknown): void {
    const known = failing.get(position);
    const state = known ?? {
      backoff: createBackoff(clock, random),
      refusals: 0,
      deliveredAtLastFailure: delivered,
    };
    failing.set(position, state);
    const refused = cause instanceof SecurityEventRefused;
    const othersGotThrough = delivered > state.deliveredAtLastFailure;
    const holdsOthersBack = done.size > SECURITY_EVENTS_BATCH / 2;
    if (refused || othersGotThrough || holdsOthersBack) state.refusals += 1;
    state.deliveredAtLastFailure = delivered;
    const retryInMs = state.backoff.failed();
    if (state.refusals >= SECURITY_EVENT_REFUSALS) {
      done.add(position);
      onEvent({ type: "security_event_given_up", id, sessionId, cause });
      return;
    }
    const outcome = refused ? "refused" : "unavailable";
    onEvent({ type: "security_event_failed", id, sessionId, outcome, retryInMs, cause });
  }

  /** Deletes what is done up to the first event that is not. False where the claim was lost meanwhile. */
  async function settle(events: readonly SecurityEventRecord[]): Promise<boolean> {
    const open = events.findIndex(({ position }) => !done.has(position));
    const settled = open === -1 ? events : events.slice(0, open);
    const last = settled.at(-1);
    if (last === undefined) return true;
    if (!(await store.settleEvents({ owner, position: last.position, release: false }))) return forget();
    for (const { position } of settled) {
      done.delete(position);
      failing.delete(position);
    }
    waiting = events.slice(settled.length);
    return true;
  }

  /** Another process delivers now, so the state here goes stale. */
  function forget(): false {
    waiting = null;
    done.clear();
    failing.clear();
    return false;
  }

  return {
    deliver,
    /** There may be something new: looks at once, where this process had the claim when it last asked. */
    wake() {
      if (waiting !== null && !closed) void deliver();
    },
    /** So many were deleted for their age. Delivered events are gone by then, so these never were delivered. */
    expired(events: number) {
      if (events > 0) onEvent({ type: "security_events_expired", events });
    },
    /** What waits, of the oldest 100; null where another process has the claim. */
    waiting(): WaitingEvents | null {
      if (waiting === null) return null;
      const open = waiting.filter(({ position }) => !done.has(position));
      const [oldest] = open;
      const ageMs = oldest === undefined ? 0 : elapsedMs(oldest.revokedAt, clock.now());
      return { count: open.length, ageMs };
    },
    /** Lets running deliveries end, for 2 s at most, and gives the claim back. */
    async close() {
      closed = true;
      const stop = options.every(SECURITY_EVENTS_CLOSE_MS, async () => closing.abort());
      await running;
      stop();
      if (waiting === null) return;
      // The next process need not wait for the end of the claim.
      await store.settleEvents({ owner, position: 0, release: true }).catch(() => false);
    },
  };
}

/** A handler that never answers holds up the others for 10 s and no longer. */
function withinTime(
  handler: SecurityEventHandler,
  event: SecurityEvent,
  every: Every,
  closing: AbortSignal,
): Promise<void> {
  const late = new AbortController();
  const signal = AbortSignal.any([late.signal, closing]);
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
    const stop = every(SECURITY_EVENT_TIMEOUT_MS, async () => late.abort(new Error("no answer in time")));
    const handled = async () => handler(event, signal);
    void handled().then(resolve, reject).finally(stop);
  });
}

/** The pause after the first failure; then twice that, up to the longest one. */
const SECURITY_EVENTS_RETRY_MS = 1_000;
const SECURITY_EVENTS_RETRY_MAX_MS = 300_000;

/** When to try again after a failure. The pause doubles with each one, up to five minutes; the real wait is half of it to all of it. */
function createBackoff(clock: Clock, random: RandomBytes) {
  let failures = 0;
  let until = 0;
  return {
    /** Returns in how many milliseconds it may be tried again. */
    failed(): number {
      failures += 1;
      const most = Math.min(SECURITY_EVENTS_RETRY_MS * 2 ** (failures - 1), SECURITY_EVENTS_RETRY_MAX_MS);
      const [share = 0] = random(1);
      const delayMs = Math.ceil((most / 2) * (1 + share / 255));
      until = clock.now() + delayMs;
      return delayMs;
    },
    succeeded() {
      failures = 0;
      until = 0;
    },
    /** Since the last success. */
    failures: () => failures,
    waits(): boolean {
      const left = until - clock.now();
      // A clock that was set back must not make the wait longer than the longest one.
      return left > 0 && left <= SECURITY_EVENTS_RETRY_MAX_MS;
    },
  };
}
