import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type QueryResult,
  type SelectModifierNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { type EmbeddedDatabaseUrl, sqlite } from "wallet-session/internal/databases";
import { type Database, DatabaseFault, type FaultSink, reported, transact } from "./database.ts";
import type { Schema } from "./schema.ts";

/**
 * Kysely on `node:sqlite`: one connection. A file is made if missing, for its owner alone; it may be the file of the sessions'
 * store, whose `user_version` is left alone.
 * @throws what node:fs and node:sqlite throw when it cannot be opened
 */
export function openSqlite(url: EmbeddedDatabaseUrl, onFault: FaultSink): Database {
  const options = { readBigInts: true };
  const file =
    url.kind === "memory"
      ? new DatabaseSync(":memory:", options)
      : sqlite.openDatabaseFile(url.path, options);
  const driver = new NodeSqlite(file, onFault);
  const database: Database = {
    db: new Kysely<Schema>({
      dialect: {
        createDriver: () => driver,
        createQueryCompiler: () => new OneWriterCompiler(),
        createAdapter: () => new TransactionalDdlAdapter(),
        createIntrospector: (db) => new SqliteIntrospector(db),
      },
    }),
    schema: null,
    // Only before it has begun: then it has the lock.
    retryAfterMs: (error, stage, tries) =>
      stage === "begin" && isBusy(error) && tries <= sqlite.BUSY_RETRIES ? sqlite.BUSY_RETRY_MS : null,
    migrate: (steps) => transact(database, steps),
  };
  return database;
}

/** There is one writer at a time, so nobody needs to lock rows, and SQLite has no word for it. */
class OneWriterCompiler extends SqliteQueryCompiler {
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (node.modifier === "Distinct") super.visitSelectModifier(node);
  }
}

/** Tables are made and changed in transactions here, and a migration that fails leaves nothing behind. */
class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

function isBusy(error: unknown): boolean {
  return sqlite.isBusy(error instanceof DatabaseFault ? error.cause : error);
}

/**
 * The driver and its one connection, which Kysely gives to one query or transaction at a time. Kysely's own driver for SQLite
 * would begin transactions without the write lock, and could not wait for a busy file outside the event loop.
 */
class NodeSqlite implements Driver, DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #onFault: FaultSink;

  constructor(database: DatabaseSync, onFault: FaultSink) {
    this.#database = database;
    this.#onFault = onFault;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this;
  }

  /** Takes the write lock at once: a transaction that has begun cannot find the database busy later on. */
  async beginTransaction(): Promise<void> {
    this.#run("BEGIN IMMEDIATE");
  }

  async commitTransaction(): Promise<void> {
    this.#run("COMMIT");
  }

  async rollbackTransaction(): Promise<void> {
    // On some faults SQLite has rolled back by itself, and there is no transaction left to end.
    if (this.#database.isTransaction) this.#run("ROLLBACK");
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#database.close();
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    try {
      return await sqlite.whenFree(() => this.#run<R>(sql, parameters), isBusy);
    } catch (error) {
      throw this.#database.isTransaction ? error : reported(error, this.#onFault);
    }
  }

  /** @throws DatabaseFault; mistakes as they are */
  #run<R>(sql: string, parameters: readonly unknown[] = []): QueryResult<R> {
    try {
      const statement = this.#database.prepare(sql);
      const values = parameters as SQLInputValue[];
      if (statement.columns().length > 0) return { rows: statement.all(...values) as R[] };
      return { rows: [], numAffectedRows: BigInt(statement.run(...values).changes) };
    } catch (error) {
      throw sqlite.isMistake(error) ? error : new DatabaseFault(error);
    }
  }

  // biome-ignore lint/correctness/useYield: part of the interface
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error("Rows are read at once here; limit the query.");
  }
}
