import { POSTGRES_MIGRATION_TIMEOUT_MS } from "../../limits.ts";
import type { SchemaState } from "../schema-state.ts";
import type { Row } from "../sql/rows.ts";
import { UnfitStore } from "../unfit-store.ts";
import { integer } from "../values.ts";
import type { Connection } from "./driver.ts";
import { MIGRATIONS, migrationsFrom, quoted } from "./migrations.ts";

/** Of all advisory locks of the database, the one under which its schemas are migrated. */
const LOCK = 7_361_245_001;

/**
 * Brings the schema up to date, made if missing. Of any number of processes that start at once, one does it and the others
 * wait. A schema of a newer version that still works with this one is left alone.
 * @param schema the name, not quoted
 * @param onStep told of each version that is reached, before it is committed
 * @returns the version before; where that is less than MIGRATIONS.length, it is that now
 * @throws when the schema was written by a newer version that does not work with this one, and what PostgreSQL says
 */
export async function migrate(
  connection: Connection,
  schema: string,
  onStep: (version: number) => void = () => {},
): Promise<number> {
  const before = await schemaVersion(connection, schema);
  if (before >= MIGRATIONS.length) return before;
  const within = (text: string, values: unknown[] = []) =>
    connection.query({ text, values, query_timeout: POSTGRES_MIGRATION_TIMEOUT_MS });
  await within("BEGIN");
  // A failure ends the connection, and so the transaction.
  await within(`SET LOCAL statement_timeout = ${POSTGRES_MIGRATION_TIMEOUT_MS}`);
  await within("SELECT pg_advisory_xact_lock($1)", [LOCK]);
  // Read again under the lock: another process may have migrated meanwhile.
  const version = await schemaVersion(connection, schema);
  for (const [index, text] of (await pendingFrom(connection, schema, version)).entries()) {
    await within(text);
    onStep(version + index + 1);
  }
  await within("COMMIT");
  return version;
}

/** Changes nothing. @throws as `migrate` does */
export async function schemaState(connection: Connection, schema: string): Promise<SchemaState> {
  const version = await schemaVersion(connection, schema);
  const pending = version >= MIGRATIONS.length ? [] : await pendingFrom(connection, schema, version);
  return { version, known: MIGRATIONS.length, pending };
}

/** @throws when the schema is older than this version, or newer and does not work with it */
export async function assertMigrated(connection: Connection, schema: string): Promise<void> {
  const version = await schemaVersion(connection, schema);
  if (version >= MIGRATIONS.length) return;
  throw new UnfitStore(
    `The database has schema version ${version}, and this version of wallet-session needs ${MIGRATIONS.length}: run npx wallet-session migrate.`,
  );
}

async function pendingFrom(connection: Connection, schema: string, version: number): Promise<string[]> {
  const texts = migrationsFrom(version, schema);
  if (version > 0 || (await schemaExists(connection, schema))) return texts;
  // A role that may not make schemas can work in one that was made for it.
  const [first = "", ...others] = texts;
  return [`CREATE SCHEMA ${quoted(schema)};\n\n${first}`, ...others];
}

/** The schema's version; 0 where there is none yet. */
async function schemaVersion(connection: Connection, schema: string): Promise<number> {
  // Out of the catalog itself: `to_regclass` does not see what was committed while its transaction waited for a lock.
  const text =
    "SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = 'schema_version') AS found";
  if ((await one(connection, text, [schema])).found !== true) return 0;
  const row = await one(connection, `SELECT * FROM ${quoted(schema)}.schema_version`);
  const version = integer(row.version);
  // Newer ones always say what they work with.
  if (version > MIGRATIONS.length && integer(row.works_with) > MIGRATIONS.length) {
    throw new UnfitStore(
      `The database has schema version ${version}; this version of wallet-session knows ${MIGRATIONS.length}.`,
    );
  }
  return version;
}

async function schemaExists(connection: Connection, schema: string): Promise<boolean> {
  const text = "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1) AS found";
  return (await one(connection, text, [schema])).found === true;
}

async function one(connection: Connection, text: string, values: unknown[] = []): Promise<Row> {
  const [row = {}] = (await connection.query({ text, values })).rows;
  return row;
}
