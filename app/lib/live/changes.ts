import type { ServerEventSource } from "wallet-session/http";
import { lastPosition } from "../sql/positions.ts";
import type { Reader } from "../sql/schema.ts";
import type { Sql } from "../sql/sql.ts";

interface Change {
  readonly position: bigint;
  readonly event: string;
  /** What has changed, as it is now. */
  readonly data: unknown;
}

/** Of what an actor may see, the one that has not changed since, whose change is the first in (`after`, `upTo`]. */
export type ChangeSource = (
  reader: Reader,
  actorId: string,
  after: bigint,
  upTo: bigint,
) => Promise<Change | null>;

/**
 * All changes of what an actor may see, in their order, from those that follow `Last-Event-ID`, or else those from now on:
 * from when this resolves, so that whatever is read once the answer has begun is no older than where the feed begins. It
 * says first where that is. It looks when the reader has room, and then at the newest state: a slow reader misses states
 * in between, never the last.
 */
export async function changeFeed(
  sql: Sql,
  actorId: string,
  sources: readonly ChangeSource[],
): Promise<ServerEventSource> {
  const last = await lastPosition(sql.db);
  return async function* ({ lastEventId, signal }) {
    const resumed = positionOf(lastEventId);
    // A position beyond the last is of another database.
    let position = resumed !== null && resumed <= last ? resumed : last;
    yield { id: String(position) };
    for (;;) {
      // Read before the rows: whatever changes while these are read lies beyond it, and comes with the next turn.
      const upTo = await positionWatch(sql).newer(position, actorId, signal);
      if (upTo === null) return;
      const change = await firstChange(sql, actorId, sources, position, upTo);
      position = change?.position ?? upTo;
      if (change === null) continue;
      yield { id: String(change.position), event: change.event, data: change.data };
    }
  };
}

async function firstChange(
  { db }: Sql,
  actorId: string,
  sources: readonly ChangeSource[],
  after: bigint,
  upTo: bigint,
): Promise<Change | null> {
  const changes = await Promise.all(sources.map((source) => source(db, actorId, after, upTo)));
  return changes.reduce((first, change) => {
    if (first === null || change === null) return first ?? change;
    return change.position < first.position ? change : first;
  }, null);
}

/** The position that a client says it has seen; null for none, and for what is none of ours. */
export function positionOf(lastEventId: string | null): bigint | null {
  return lastEventId !== null && /^\d{1,18}$/.test(lastEventId) ? BigInt(lastEventId) : null;
}

interface WatchOptions {
  /** How often it looks for changes of other processes. Default: 1 s. */
  readonly pollMs?: number;
  /** Changes that come faster than this are told together. Default: 100 ms. */
  readonly gapMs?: number;
  /** Milliseconds that rise steadily, whatever becomes of the wall clock. Default: `performance.now`. */
  readonly monotonicNow?: () => number;
}

interface Waiter {
  readonly actorId: string;
  readonly after: bigint;
  readonly resolve: (position: bigint | null) => void;
}

/**
 * Wakes the feeds that wait, when something of theirs has changed. It looks for all of them together, and not at all while
 * nobody waits. A change wakes only those that it concerns, so a thousand open feeds cost nothing while one account is busy.
 */
class PositionWatch {
  readonly #sql: Sql;
  readonly #pollMs: number;
  readonly #gapMs: number;
  readonly #monotonicNow: () => number;
  readonly #waiters = new Set<Waiter>();
  /** A position that is known to be committed. */
  #known = 0n;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #looking = false;
  #changed = false;

  constructor(sql: Sql, options: WatchOptions) {
    this.#sql = sql;
    this.#pollMs = options.pollMs ?? 1_000;
    this.#gapMs = options.gapMs ?? 100;
    this.#monotonicNow = options.monotonicNow ?? (() => performance.now());
    sql.onCommit(() => {
      this.#changed = true;
      if (this.#waiters.size > 0) this.#lookIn(this.#lookedAt + this.#gapMs - this.#monotonicNow());
    });
  }

  /**
   * A position beyond `after`, up to which all changes can be read: at once where there is one, else when the actor sees a
   * change, about a second late where another process made it. Null when the signal aborts or the time is up.
   */
  newer(after: bigint, actorId: string, signal: AbortSignal, withinMs?: number): Promise<bigint | null> {
    if (signal.aborted) return Promise.resolve(null);
    if (this.#known > after) return Promise.resolve(this.#known);
    return new Promise((resolve) => {
      const timeout = withinMs === undefined ? undefined : setTimeout(() => settle(null), withinMs);
      const abort = () => settle(null);
      const settle = (position: bigint | null) => {
        this.#waiters.delete(waiter);
        clearTimeout(timeout);
        signal.removeEventListener("abort", abort);
        resolve(position);
      };
      const waiter = { actorId, after, resolve: settle };
      signal.addEventListener("abort", abort);
      this.#waiters.add(waiter);
      this.#lookIn(this.#changed ? 0 : this.#pollMs);
    });
  }

  /** Looks after that time, or when it was going to, whichever comes first. */
  #lookIn(ms: number): void {
    if (this.#looking || (this.#timer !== null && ms >= this.#pollMs)) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), Math.max(0, ms));
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    this.#timer = null;
    this.#looking = true;
    this.#changed = false;
    // The database has reported a fault; the next look may do better.
    await this.#tell().catch(() => {});
    this.#looking = false;
    this.#lookedAt = this.#monotonicNow();
    if (this.#waiters.size > 0) this.#lookIn(this.#changed ? this.#gapMs : this.#pollMs);
  }

  async #tell(): Promise<void> {
    const { db } = this.#sql;
    const position = await lastPosition(db);
    const concerned = await concernedBy(db, this.#known, position);
    this.#known = position;
    for (const { actorId, after, resolve } of [...this.#waiters]) {
      if (position > after && (concerned === "anybody" || concerned.has(actorId))) resolve(position);
    }
  }
}

const watches = new WeakMap<Sql, PositionWatch>();

/** The watch of a database. Only the options of its first call count. */
export function positionWatch(sql: Sql, options: WatchOptions = {}): PositionWatch {
  const watch = watches.get(sql) ?? new PositionWatch(sql, options);
  watches.set(sql, watch);
  return watch;
}

/** Beyond as many changes at one time it is not looked up whom they concern. */
const LOOKED_UP_MOST = 1_000;

/** Who sees a change in (`after`, `upTo`]; `anybody` where that is not known. Whom none concerns may be among them. */
export async function concernedBy(
  reader: Reader,
  after: bigint,
  upTo: bigint,
): Promise<ReadonlySet<string> | "anybody"> {
  if (upTo - after > LOOKED_UP_MOST) return "anybody";
  if (upTo <= after) return new Set();
  const [streams, operations] = await Promise.all([
    reader
      .selectFrom("streams")
      .select(["sender", "recipient"])
      .where("changed", ">", after)
      .where("changed", "<=", upTo)
      .execute(),
    reader
      .selectFrom("operations")
      .select("actor_id")
      .where("changed", ">", after)
      .where("changed", "<=", upTo)
      .execute(),
  ]);
  return new Set([
    ...streams.flatMap(({ sender, recipient }) => [sender, recipient]),
    ...operations.map(({ actor_id }) => actor_id),
  ]);
}
