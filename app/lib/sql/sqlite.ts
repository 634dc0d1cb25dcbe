import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
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
  sql,
} from "kysely";
import type { EmbeddedDatabaseUrl } from "wallet-session/config";
import { type Database, DatabaseFault, type FaultSink, reported, type Stage } from "./database.ts";
import type { Schema } from "./schema.ts";
import type { Reader, Tx } from "./sql.ts";
import { transact } from "./transaction.ts";

/** While another connection writes, a transaction is tried again this often, and for about 2 s, as the sessions' store does. */
const BUSY_RETRY_MS = 5;
const BUSY_RETRIES = 400;

/**
 * Kysely on `node:sqlite`: one connection, and all that is SQLite's own. A file is made if missing, for its owner alone;
 * it may be the file of the sessions' store, whose `user_version` is left alone.
 * @throws what node:fs and node:sqlite throw when it cannot be opened
 */
export async function openSqlite(url: EmbeddedDatabaseUrl, onFault: FaultSink): Promise<Database> {
  for (let retries = 0; ; retries += 1) {
    try {
      return new SqliteDatabase(new NodeSqliteDriver(openDatabase(url), onFault));
    } catch (error) {
      // The switch to a write-ahead log, which two processes may both try.
      if (!isBusy(error) || retries === BUSY_RETRIES) throw error;
    }
    await setTimeout(BUSY_RETRY_MS);
  }
}

class SqliteDatabase implements Database {
  readonly db: Kysely<Schema>;

  constructor(driver: Driver) {
    this.db = new Kysely({
      dialect: {
        createDriver: () => driver,
        createQueryCompiler: () => new OneWriterCompiler(),
        createAdapter: () => new SqliteAdapter(),
        createIntrospector: (db) => new SqliteIntrospector(db),
      },
    });
  }

  /** Only before it has begun: then it has the lock. */
  retryAfterMs(error: unknown, stage: Stage, tries: number): number | null {
    return stage === "begin" && isBusy(error) && tries <= BUSY_RETRIES ? BUSY_RETRY_MS : null;
  }

  migrate(steps: (tx: Tx) => Promise<void>): Promise<void> {
    return transact(this, steps);
  }

  async hasTable(reader: Reader, name: string): Promise<boolean> {
    const found = sql`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ${name}`;
    return (await found.execute(reader)).rows.length === 1;
  }
}

/** There is one writer at a time, so that nobody needs to lock rows, and SQLite has no word for it. */
class OneWriterCompiler extends SqliteQueryCompiler {
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (node.modifier === "Distinct") super.visitSelectModifier(node);
  }
}

/** Another connection holds the lock: nothing happened, and a later try may succeed. */
function isBusy(error: unknown): boolean {
  return primaryCode(error instanceof DatabaseFault ? error.cause : error) === SQLITE_BUSY;
}

function openDatabase(url: EmbeddedDatabaseUrl): DatabaseSync {
  if (url.kind === "memory") return new DatabaseSync(":memory:", OPTIONS);
  const file = resolve(url.path);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // Made here because SQLite would make it readable to all.
  closeSync(openSync(file, "a", 0o600));
  const database = new DatabaseSync(file, OPTIONS);
  try {
    const mode = database.prepare("PRAGMA journal_mode = WAL").get()?.journal_mode;
    if (mode !== "wal")
      throw new Error(`SQLite cannot use a write-ahead log here (journal_mode is ${mode}).`);
    database.exec("PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

// No busy handler: SQLite would wait inside a call, and stop the event loop.
const OPTIONS = { timeout: 0, enableForeignKeyConstraints: true, readBigInts: true };

class NodeSqliteDriver implements Driver {
  readonly #database: DatabaseSync;
  readonly #connection: NodeSqliteConnection;

  constructor(database: DatabaseSync, onFault: FaultSink) {
    this.#database = database;
    this.#connection = new NodeSqliteConnection(database, onFault);
  }

  async init(): Promise<void> {}

  /** Kysely gives it to one query or transaction at a time. */
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  /** Takes the write lock at once: a transaction that has begun cannot find the database busy later on. */
  async beginTransaction(): Promise<void> {
    this.#connection.run("BEGIN IMMEDIATE");
  }

  async commitTransaction(): Promise<void> {
    this.#connection.run("COMMIT");
  }

  async rollbackTransaction(): Promise<void> {
    // On some faults SQLite has rolled back by itself, and there is no transaction left to end.
    if (this.#database.isTransaction) this.#connection.run("ROLLBACK");
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#database.close();
  }
}

class NodeSqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #onFault: FaultSink;

  constructor(database: DatabaseSync, onFault: FaultSink) {
    this.#database = database;
    this.#onFault = onFault;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    for (let retries = 0; ; retries += 1) {
      try {
        return this.run<R>(sql, parameters);
      } catch (error) {
        // Reads alone meet it, and seldom: while a log is recovered or removed.
        if (!isBusy(error) || retries === BUSY_RETRIES) {
          throw this.#database.isTransaction ? error : reported(error, this.#onFault);
        }
      }
      await setTimeout(BUSY_RETRY_MS);
    }
  }

  /** @throws DatabaseFault; mistakes as they are */
  run<R>(sql: string, parameters: readonly unknown[] = []): QueryResult<R> {
    try {
      const statement = this.#database.prepare(sql);
      const values = parameters as SQLInputValue[];
      if (statement.columns().length > 0) return { rows: statement.all(...values) as R[] };
      return { rows: [], numAffectedRows: BigInt(statement.run(...values).changes) };
    } catch (error) {
      throw isMistake(error) ? error : new DatabaseFault(error);
    }
  }

  // biome-ignore lint/correctness/useYield: part of the interface
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error("Rows are read at once here; limit the query.");
  }
}

// Primary result codes of SQLite (https://sqlite.org/rescode.html); the low byte of the extended ones.
const SQLITE_BUSY = 5;
/** A wrong statement, a broken constraint, a value of the wrong type, a wrong call, a wrong parameter. */
const MISTAKES: ReadonlySet<number> = new Set([1, 19, 20, 21, 25]);

/** True for what is a mistake of the caller, in the statement or its values, and no fault of the database. */
function isMistake(error: unknown): boolean {
  const code = primaryCode(error);
  return code === null || MISTAKES.has(code);
}

function primaryCode(error: unknown): number | null {
  if (!(error instanceof Error && "errcode" in error)) return null;
  return typeof error.errcode === "number" ? error.errcode & 0xff : null;
}
