import { lastPosition } from "../sql/positions.ts";
import type { Sql } from "../sql/sql.ts";
import { concernedBy } from "./concerned.ts";

/** How often it looks for changes of other processes. */
const POLL_MS = 1_000;
/** Changes that come faster than this are told together. */
const GAP_MS = 100;

interface Waiter {
  readonly actorId: string;
  readonly after: bigint;
  readonly resolve: (position: bigint | null) => void;
}

/**
 * Tells those who wait that something of theirs has changed: a look for all of them together, and none while nobody waits.
 * Whom a change does not concern is not woken, so that a thousand open feeds cost nothing while one account is busy.
 */
export class PositionWatch {
  readonly #sql: Sql;
  readonly #waiters = new Set<Waiter>();
  /** A position that is known to be committed. */
  #known = 0n;
  #lookedAt = 0;
  #timer: NodeJS.Timeout | null = null;
  #looking = false;
  #changed = false;

  constructor(sql: Sql) {
    this.#sql = sql;
    sql.onCommit(() => {
      this.#changed = true;
      if (this.#waiters.size > 0) this.#lookIn(this.#lookedAt + GAP_MS - Date.now());
    });
  }

  /**
   * A position beyond `after`, up to which all changes can be read: at once, or when the actor sees a change, about a
   * second late where another process made it. Null when the signal aborts or the time is up.
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
      this.#lookIn(this.#changed ? 0 : POLL_MS);
    });
  }

  /** Looks after that time, or when it was going to, whichever comes first. */
  #lookIn(ms: number): void {
    if (this.#looking || (this.#timer !== null && ms >= POLL_MS)) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), Math.max(0, ms));
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    this.#timer = null;
    this.#looking = true;
    this.#changed = false;
    // A fault has been reported by the database; the next look may do better.
    await this.#tell().catch(() => {});
    this.#looking = false;
    this.#lookedAt = Date.now();
    if (this.#waiters.size > 0) this.#lookIn(this.#changed ? GAP_MS : POLL_MS);
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

/** The one of a database. */
export function positionWatch(sql: Sql): PositionWatch {
  const watch = watches.get(sql) ?? new PositionWatch(sql);
  watches.set(sql, watch);
  return watch;
}
