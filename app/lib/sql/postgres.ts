import { setTimeout } from "node:timers/promises";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type DataTypeNode,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  sql,
} from "kysely";
import { type QueryResult as PgResult, Pool, type PoolClient, types } from "pg";
import { type Database, DatabaseFault, type FaultSink, reported, type Stage } from "./database.ts";
import { isLost, isMistake, isUndone } from "./postgres-faults.ts";
import type { Schema } from "./schema.ts";
import type { Reader, Tx } from "./sql.ts";
import { transact } from "./transaction.ts";

const CONNECTIONS = 10;
/** For a connection, a free one of the pool or a new one. */
const CONNECT_TIMEOUT_MS = 1_500;
/**
 * For a statement, the wait for a lock included. The server ends it; from one that stands still no answer is awaited for
 * much longer, so that a request hears of it within 2 s.
 */
const STATEMENT_TIMEOUT_MS = 1_500;
const ANSWER_GRACE_MS = 200;
const MIGRATION_TIMEOUT_MS = 60_000;
/** A process that stands still in the middle of a transaction holds its locks no longer than that. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 2_000;

const TRIES = 4;
const RETRY_MS = 25;

/** Of all advisory locks of the database, the one under which the app's schemas are migrated. */
const MIGRATION_LOCK = 7_361_245_002;

/**
 * Kysely on `pg`: a pool of connections to PostgreSQL 13 or newer, or an engine compatible with it, and all that is its own.
 * Opens nothing yet.
 * @param schema the name, which needs no quotes
 */
export function openPostgres(url: string, schema: string, onFault: FaultSink): Database {
  return new PostgresDatabase(url, schema, onFault, STATEMENT_TIMEOUT_MS);
}

class PostgresDatabase implements Database {
  readonly db: Kysely<Schema>;
  readonly #url: string;
  readonly #schema: string;
  readonly #onFault: FaultSink;

  constructor(url: string, schema: string, onFault: FaultSink, statementTimeoutMs: number) {
    this.#url = url;
    this.#schema = schema;
    this.#onFault = onFault;
    const driver = new PostgresDriver(openPool(url, statementTimeoutMs), onFault);
    this.db = new Kysely<Schema>({
      dialect: {
        createDriver: () => driver,
        createQueryCompiler: () => new ByteOrderCompiler(),
        createAdapter: () => new PostgresAdapter(),
        createIntrospector: (db) => new PostgresIntrospector(db),
      },
    }).withSchema(schema);
  }

  /** What was lost before its COMMIT was sent is undone by the server. */
  retryAfterMs(error: unknown, stage: Stage, tries: number): number | null {
    const cause = error instanceof DatabaseFault ? error.cause : null;
    const isSafe = isUndone(cause) || (isLost(cause) && stage !== "commit");
    return isSafe && tries < TRIES ? retryMs(tries) : null;
  }

  /** On a connection of its own, whose statements may take their time. */
  async migrate(steps: (tx: Tx) => Promise<void>): Promise<void> {
    const patient = new PostgresDatabase(this.#url, this.#schema, this.#onFault, MIGRATION_TIMEOUT_MS);
    try {
      await transact(patient, async (tx) => {
        await sql`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(tx);
        // A role that may not make schemas can work in one that was made for it.
        const found = sql`SELECT 1 FROM pg_namespace WHERE nspname = ${this.#schema}`;
        if ((await found.execute(tx)).rows.length === 0) await tx.schema.createSchema(this.#schema).execute();
        await steps(tx);
      });
    } finally {
      await patient.db.destroy();
    }
  }

  async hasTable(reader: Reader, name: string): Promise<boolean> {
    const found = sql`SELECT 1 FROM pg_tables WHERE schemaname = ${this.#schema} AND tablename = ${name}`;
    return (await found.execute(reader)).rows.length === 1;
  }
}

/** Texts are ordered by their bytes, as on SQLite and in this process, whatever the database has as default. */
class ByteOrderCompiler extends PostgresQueryCompiler {
  protected override visitDataType(node: DataTypeNode): void {
    super.visitDataType(node);
    if (node.dataType === "text") this.append(' collate "C"');
  }
}

function openPool(url: string, statementTimeoutMs: number): Pool {
  const pool = new Pool({
    connectionString: url,
    application_name: "streampay",
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + ANSWER_GRACE_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
    types: {
      getTypeParser: (oid, format) =>
        oid === types.builtins.INT8 ? BigInt : types.getTypeParser(oid, format),
    },
  });
  // A connection that is lost while nothing waits for it: the pool lets go of it. Whoever waits is told by their own
  // promise. Without a listener either would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => void client.on("error", () => {}));
  return pool;
}

/**
 * Each statement sees what was committed before it, whatever the server has as default, and what is acknowledged is on disk:
 * a settlement is sent only once it is written for good. What is stronger stays.
 */
const BEGIN = `START TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE;
  SELECT set_config('synchronous_commit',
    CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true)`;

class PostgresDriver implements Driver {
  readonly #pool: Pool;
  readonly #onFault: FaultSink;

  constructor(pool: Pool, onFault: FaultSink) {
    this.#pool = pool;
    this.#onFault = onFault;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PostgresConnection> {
    return new PostgresConnection(this.#pool, this.#onFault);
  }

  beginTransaction(connection: PostgresConnection): Promise<void> {
    return connection.begin();
  }

  commitTransaction(connection: PostgresConnection): Promise<void> {
    return connection.commit();
  }

  rollbackTransaction(connection: PostgresConnection): Promise<void> {
    return connection.rollback();
  }

  async releaseConnection(connection: PostgresConnection): Promise<void> {
    connection.release();
  }

  destroy(): Promise<void> {
    return this.#pool.end();
  }
}

/** A place in the pool, taken at the first statement. */
class PostgresConnection implements DatabaseConnection {
  readonly #pool: Pool;
  readonly #onFault: FaultSink;
  #client: PoolClient | null = null;
  #inTransaction = false;

  constructor(pool: Pool, onFault: FaultSink) {
    this.#pool = pool;
    this.#onFault = onFault;
  }

  async executeQuery<R>({ sql: text, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#inTransaction) return resultOf(await this.#ask(text, parameters));
    for (let tries = 1; ; tries += 1) {
      try {
        return resultOf(await this.#ask(text, parameters));
      } catch (error) {
        const cause = error instanceof DatabaseFault ? error.cause : null;
        const isSafe = isUndone(cause) || isLost(cause);
        if (!isSafe || tries === TRIES) throw reported(error, this.#onFault);
      }
      await setTimeout(retryMs(tries));
    }
  }

  async begin(): Promise<void> {
    await this.#ask(BEGIN);
    this.#inTransaction = true;
  }

  async commit(): Promise<void> {
    const { command } = await this.#ask("COMMIT");
    // What PostgreSQL answers when a statement has failed and nobody minded.
    if (command === "ROLLBACK")
      throw new Error("A transaction was committed after one of its statements had failed.");
  }

  /** Never fails: a connection on which it cannot be said is let go of, and the server rolls back by itself. */
  async rollback(): Promise<void> {
    if (this.#client !== null) await this.#ask("ROLLBACK").catch(() => {});
  }

  /** It serves one query, or one transaction. */
  release(): void {
    this.#client?.release();
    this.#client = null;
  }

  /** @throws DatabaseFault; mistakes as they are */
  async #ask(text: string, parameters: readonly unknown[] = []): Promise<PgResult> {
    try {
      if (this.#client === null && this.#inTransaction)
        throw new Error("The transaction has lost its connection.");
      this.#client ??= await this.#pool.connect();
      return await this.#client.query(text, [...parameters]);
    } catch (error) {
      if (isMistake(error)) throw error;
      // It may be lost, or busy still.
      if (!isUndone(error)) this.#discard();
      throw new DatabaseFault(error);
    }
  }

  #discard(): void {
    this.#client?.release(true);
    this.#client = null;
  }

  // biome-ignore lint/correctness/useYield: part of the interface
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error("Rows are read at once here; limit the query.");
  }
}

function resultOf<R>({ command, rowCount, rows }: PgResult): QueryResult<R> {
  return { rows, ...(command !== "SELECT" && { numAffectedRows: BigInt(rowCount ?? 0) }) };
}

function retryMs(tries: number): number {
  return RETRY_MS * 2 ** (tries - 1);
}
