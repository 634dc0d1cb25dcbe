import { Migrator } from "kysely/migration";
import type { Database } from "./database.ts";
import { MIGRATIONS } from "./migrations.ts";
import type { Reader, Tx } from "./schema.ts";

/** Kysely's record of the migrations. An earlier migrator of this app made the table, with the column `name` alone. */
const TABLE = "app_migrations";

/**
 * Brings the schema up to date by Kysely's migrator, all in one transaction: of processes that start at once the first
 * migrates, and the others find it done.
 * @throws Error where the database went through a migration that this version does not know, or lacks one and `isAllowed` is
 * false
 */
export async function migrate(database: Database, isAllowed: boolean): Promise<void> {
  const missing = await missingMigrations(database);
  if (missing.length === 0) return;
  if (!isAllowed) {
    throw new Error(
      `The database of the streams lacks ${missing.join(", ")}: start one process with DATABASE_MIGRATE=on, which brings its schema up to date.`,
    );
  }
  await database.migrate(async (tx) => {
    await addTimestamps(tx, database);
    const migrator = new Migrator({
      db: tx,
      provider: { getMigrations: async () => MIGRATIONS },
      migrationTableName: TABLE,
      migrationLockTableName: `${TABLE}_lock`,
      ...(database.schema !== null && { migrationTableSchema: database.schema }),
    });
    const { error } = await migrator.migrateToLatest();
    if (error !== undefined) throw error;
  });
}

async function missingMigrations(database: Database): Promise<readonly string[]> {
  const { db } = database;
  const isNew = (await migrationsTable(db, database)) === undefined;
  const rows = isNew ? [] : await db.selectFrom(TABLE).select("name").execute();
  const applied = new Set(rows.map(({ name }) => name));
  const unknown = [...applied].filter((name) => !Object.hasOwn(MIGRATIONS, name));
  if (unknown.length > 0) {
    throw new Error(
      `The database of the streams has been through ${unknown.join(", ")}: its schema is newer than this app.`,
    );
  }
  return Object.keys(MIGRATIONS).filter((name) => !applied.has(name));
}

/** Adds the column that Kysely needs to a table of the earlier migrator. Versions with that migrator go on reading it. */
async function addTimestamps(tx: Tx, database: Database): Promise<void> {
  const table = await migrationsTable(tx, database);
  if (table === undefined || table.columns.some(({ name }) => name === "timestamp")) return;
  const longAgo = new Date(0).toISOString();
  await tx.schema
    .alterTable(TABLE)
    .addColumn("timestamp", "varchar(255)", (column) => column.notNull().defaultTo(longAgo))
    .execute();
}

async function migrationsTable({ introspection }: Reader, { schema }: Database) {
  const tables = await introspection.getTables();
  return tables.find((table) => table.name === TABLE && (schema === null || table.schema === schema));
}
