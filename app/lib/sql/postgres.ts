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
import { postgres } from "wallet-session/internal/databases";
import { type Database, DatabaseFault, type FaultSink, reported, transact } from "./database.ts";
import type { Schema, Tx } from "./schema.ts";

const CONNECTIONS = 10;
/**
 * For a statement, the wait for a lock included. The server ends it; from a server that stands still no answer is awaited for
 * much longer, so that a request hears of it within 2 s.
 */
const STATEMENT_TIMEOUT_MS = 1_500;
const ANSWER_GRACE_MS = 200;
const MIGRATION_TIMEOUT_MS = 60_000;
/** A process that stands still in the middle of a transaction holds its locks no longer than that. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 2_000;

/** Of all advisory locks of the database, the one under which the app's schemas are migrated. */
const MIGRATION_LOCK = 7_361_245_002;

/**
 * Kysely on `pg`: a pool of connections to PostgreSQL 13 or newer, or an engine compatible with it. Opens nothing yet.
 * @param schema the name, which needs no quotes
 */
export function openPostgres(
  url: string,
  schema: string,
  onFault: FaultSink,
  statementTimeoutMs = STATEMENT_TIMEOUT_MS,
): Database {
  const driver = driverOf(openPool(url, statementTimeoutMs), onFault);
  const kysely = new Kysely<Schema>({
    dialect: {
      createDriver: () => driver,
      createQueryCompiler: () => new ByteOrderCompiler(),
      createAdapter: () => new LockedMigrationsAdapter(),
      createIntrospector: (db) => new PostgresIntrospector(db),
    },
  });
  return {
    db: kysely.withSchema(schema),
    schema,
    // What was lost before its COMMIT was sent is undone by the server.
    retryAfterMs: (error, stage, tries) => retryAfterMs(error, tries, stage !== "commit"),
    migrate: (steps) => migrate(openPostgres(url, schema, onFault, MIGRATION_TIMEOUT_MS), steps),
  };
}

/** On a connection of its own, whose statements may take their time. */
async function migrate(patient: Database, steps: (tx: Tx) => Promise<void>): Promise<void> {
  try {
    await transact(patient, async (tx) => {
      await sql`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(tx);
      await steps(tx);
    });
  } finally {
    await patient.db.destroy();
  }
}

/** Null where a further try is not safe, or there were enough. */
function retryAfterMs(error: unknown, tries: number, isLossSafe = true): number | null {
  const cause = error instanceof DatabaseFault ? error.cause : null;
  const isSafe = postgres.isUndone(cause) || (isLossSafe && postgres.isLost(cause));
  return isSafe ? postgres.retryAfterMs(tries) : null;
}

/**
 * `migrate` holds a lock until its transaction ends. The migrator's own would be let go of before the commit,
 * and that statement would hide why a migration failed.
 */
class LockedMigrationsAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
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
    ...postgres.connectionSettings(url, "streampay"),
    max: CONNECTIONS,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + ANSWER_GRACE_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    types: postgres.readingInt8(types.getTypeParser, BigInt),
  });
  postgres.surviveLostConnections(pool);
  return pool;
}

/**
 * Each statement sees what was committed before it, whatever the server has as default, and what is acknowledged is on disk:
 * a settlement is sent only once it is written for good.
 */
const BEGIN = `START TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT ${postgres.DURABLY}`;

function driverOf(pool: Pool, onFault: FaultSink): Driver {
  return {
    init: async () => {},
    acquireConnection: async () => new PostgresConnection(pool, onFault),
    beginTransaction: (connection: PostgresConnection) => connection.begin(),
    commitTransaction: (connection: PostgresConnection) => connection.commit(),
    rollbackTransaction: (connection: PostgresConnection) => connection.rollback(),
    releaseConnection: async (connection: PostgresConnection) => connection.release(),
    destroy: () => pool.end(),
  };
}

/** A place in the pool, taken at the first statement. */
class PostgresConnection implements DatabaseConnection {
  readonly #pool: Pool;
  readonly #onFault: FaultSink;
  #client: PoolClient | null = null;
  #inTransaction = false;
  #ended: unknown = null;

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
        const waitMs = retryAfterMs(error, tries);
        if (waitMs === null) throw reported(error, this.#onFault);
        await setTimeout(waitMs);
      }
    }
  }

  async begin(): Promise<void> {
    await this.#ask(BEGIN);
    this.#inTransaction = true;
  }

  async commit(): Promise<void> {
    const { command } = await this.#ask("COMMIT");
    // PostgreSQL answers so when a statement failed and its error was ignored.
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
      // The transaction went with its connection: what ended that is what every further statement meets.
      if (this.#client === null && this.#inTransaction) throw this.#ended;
      this.#client ??= await this.#pool.connect();
      return await this.#client.query(text, [...parameters]);
    } catch (error) {
      if (postgres.isMistake(error)) throw error;
      // It may be lost, or busy still.
      if (!postgres.isUndone(error)) this.#discard(error);
      throw new DatabaseFault(error);
    }
  }

  #discard(why: unknown): void {
    this.#ended = why;
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
