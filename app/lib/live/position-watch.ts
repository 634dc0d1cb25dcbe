import { lastPosition } from "../sql/positions.ts";
import type { Reader } from "../sql/schema.ts";
import type { Sql } from "../sql/sql.ts";

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
