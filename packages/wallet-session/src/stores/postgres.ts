import type { SessionStore } from "../store.ts";
import {
  type Connection,
  POSTGRES_TIMES,
  type PostgresPool,
  type PostgresSource,
} from "./postgres/driver.ts";
import { assertMigrated, migrate, schemaState } from "./postgres/migrate.ts";
import { MIGRATIONS } from "./postgres/migrations.ts";
import { createRunner } from "./postgres/runner.ts";
import { createPostgresStore } from "./postgres/store.ts";
import type { SchemaState } from "./schema-state.ts";

export type { PostgresClient, PostgresPool } from "./postgres/driver.ts";

/** Where the store's connections come from: exactly one of the two. */
export type PostgresConnectionOptions =
  | {
      /** `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with libpq's `sslmode` and the like as `pg` reads them. */
      readonly url: string;
      readonly pool?: undefined;
    }
  | {
      /** A `pg.Pool` that the program has already. {@link openPostgresStore} says what it must be like. */
      readonly pool: PostgresPool;
      readonly url?: undefined;
    };

export type PostgresSchemaOptions = PostgresConnectionOptions & {
  /**
   * The schema that holds the tables, made if missing; lower-case letters, digits and `_`.
   * @default "wallet_session"
   */
  readonly schema?: string;
};

export type PostgresStoreOptions = PostgresSchemaOptions & {
  /**
   * `auto`: the first step brings the schema up to date. `check`: it rejects where the schema is older, and says so; another
   * process migrates.
   * @default "auto"
   */
  readonly migrate?: "auto" | "check";
};

const SCHEMA = "wallet_session";
const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

/**
 * A store for any number of processes on any number of machines: PostgreSQL 13 or newer, or an engine compatible with it, by
 * the package `pg`, which has to be installed beside this one.
 *
 * Each step is one statement. A promise of a write resolves after its commit is on disk, whatever default the server has for
 * `synchronous_commit`. A step begins again, up to 4 times in all, where the server undid it in favour of another one, and where its
 * connection was lost and the row can tell afterwards what became of it. It rejects after that, and in any case after 1.5 s.
 *
 * Opens nothing yet. The first step connects and brings the schema up to date, one process at a time, for up to a minute. It
 * rejects when the schema was written by a newer version of this package that does not work with this one, and when `pg` is
 * missing. After a failure the next step tries again. The URL must lead to the primary, never to a replica.
 *
 * With `pool` the store works on connections of the caller's pool, and the pool stays the caller's:
 * - `close` does not end it. Close the store first, then end the pool.
 * - While somebody watches the revocations, as the engine does, the store holds one connection for that. A pool of one
 *   connection blocks the store; each step takes one more.
 * - A step still ends after 1.5 s, also where it waits for a free connection. But the server goes on with a statement that
 *   nobody waits for any more, unless the pool sets a `statement_timeout`.
 * - It needs an `error` listener of its own, as each `pg.Pool` does: without it, an idle connection that is lost ends the process.
 * - Its parsers of types, its time limits for queries and its `synchronous_commit` do not touch the store's statements. Its
 *   option `binary` must not be set.
 *
 * @throws RangeError for a schema name with other characters
 *
 * @example
 * ```ts
 * import { openPostgresStore } from "wallet-session/stores/postgres";
 *
 * export const store = openPostgresStore({ url: "postgres://app:secret@db.example.com/sessions", migrate: "check" });
 * ```
 */
export function openPostgresStore(options: PostgresStoreOptions): SessionStore {
  const schema = schemaOf(options);
  const prepare =
    options.migrate === "check"
      ? (connection: Connection) => assertMigrated(connection, schema)
      : async (connection: Connection) => void (await migrate(connection, schema));
  return createPostgresStore(sourceOf(options), schema, prepare);
}

/**
 * Brings the schema up to date, as the first step of a store does.
 * @param onStep told of each version that is reached; they are committed together
 * @throws as the first step of a store
 */
export async function migratePostgres(
  options: PostgresSchemaOptions & { readonly onStep?: (version: number) => void },
): Promise<{ readonly from: number; readonly to: number }> {
  const schema = schemaOf(options);
  const from = await onConnection(options, (connection) => migrate(connection, schema, options.onStep));
  return { from, to: Math.max(from, MIGRATIONS.length) };
}

/** Reads what {@link migratePostgres} would do; changes nothing. @throws as it does */
export async function schemaOfPostgres(options: PostgresSchemaOptions): Promise<SchemaState> {
  const schema = schemaOf(options);
  return onConnection(options, (connection) => schemaState(connection, schema));
}

async function onConnection<Output>(
  options: PostgresConnectionOptions,
  work: (connection: Connection) => Promise<Output>,
): Promise<Output> {
  const runner = createRunner(sourceOf(options), POSTGRES_TIMES);
  try {
    return await runner.run((step) => step.use(work));
  } finally {
    await runner.close();
  }
}

function sourceOf({ url, pool }: PostgresConnectionOptions): PostgresSource {
  return pool === undefined ? { url } : { pool };
}

/** @throws RangeError */
function schemaOf({ schema = SCHEMA }: PostgresSchemaOptions): string {
  if (SCHEMA_NAME.test(schema)) return schema;
  throw new RangeError("The name of a schema has lower-case letters, digits and _, at most 63.");
}
