import type { Kysely } from "kysely";
import type { SqlDatabaseUrl } from "wallet-session/internal/databases";
import { type Database, type FaultSink, reported, transact } from "./database.ts";
import { migrate } from "./migrate.ts";
import { openPostgres } from "./postgres.ts";
import type { Schema, Tx } from "./schema.ts";
import { openSqlite } from "./sqlite.ts";

/** The app's tables. Every integer that is read is a `bigint`. */
export class Sql {
  /**
   * For reads outside a transaction; each statement sees what is committed.
   * @throws SessionError store_unavailable for a fault, which has been reported
   */
  readonly db: Kysely<Schema>;
  readonly #database: Database;
  readonly #onFault: FaultSink;
  readonly #listeners = new Set<() => void>();

  constructor(database: Database, onFault: FaultSink) {
    this.db = database.db;
    this.#database = database;
    this.#onFault = onFault;
  }

  /**
   * Runs `work` in a transaction, and resolves when it is durable. When `work` throws, nothing has happened, and the error
   * comes out as it is.
   *
   * `work` may run more than once, and only the last time counts: it is begun again where another process is in the way, and
   * after an `Overtaken`. So it does nothing but ask its `tx`: whatever else it waited for would hold up every other writer,
   * and `db` or another `write` might wait for it for ever.
   *
   * On SQLite transactions go one at a time over all processes. On PostgreSQL they go side by side, and each statement sees
   * what is committed when it begins: what a transaction decides by, it has locked first (docs/streams.md, "Many at once").
   * @throws SessionError store_unavailable for a fault, which has been reported; where it fell on the COMMIT, the outcome
   * is unknown
   */
  async write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    try {
      const result = await transact(this.#database, work);
      for (const listener of this.#listeners) listener();
      return result;
    } catch (error) {
      throw reported(error, this.#onFault);
    }
  }

  /** Calls `listener` after each `write` of this process that has committed. Returns the way to end it. */
  onCommit(listener: () => void): () => void {
    // A function of its own for each call, so that one listener given twice is two.
    const own = () => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Waits for what is under way, and closes. */
  close(): Promise<void> {
    return this.db.destroy();
  }
}

export interface SqlOptions {
  /** On PostgreSQL, the schema that holds the tables, made if missing. Default: `streampay`. */
  readonly schema?: string | undefined;
  /** On PostgreSQL, whether a schema that is older than this version needs is brought up to date, or refused. Default: true. */
  readonly mayMigrate?: boolean;
}

/**
 * Opens the database and brings its schema up to date; processes that do so at once take turns.
 * @param onFault is told of each fault, with its cause
 * @throws what the file system or the database says when it cannot be opened; store_unavailable, with that as its cause, where it
 * did not answer; an Error where its schema is newer, or older and left alone
 */
export async function openSql(
  url: SqlDatabaseUrl,
  onFault: FaultSink,
  { schema = "streampay", mayMigrate = true }: SqlOptions = {},
): Promise<Sql> {
  const database =
    url.kind === "postgres" ? openPostgres(url.url, schema, onFault) : openSqlite(url, onFault);
  try {
    await migrate(database, mayMigrate || url.kind !== "postgres");
  } catch (error) {
    await database.db.destroy();
    throw reported(error, onFault);
  }
  return new Sql(database, onFault);
}
