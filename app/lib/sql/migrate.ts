import type { Database } from "./database.ts";
import { MIGRATIONS } from "./migrations.ts";
import type { Reader } from "./sql.ts";

/**
 * Brings the schema up to date, all in one transaction: of processes that start at once the first migrates, and the others
 * find it done.
 * @throws Error where the database has been through a migration that this version does not know, or lacks one and
 * `isAllowed` is false
 */
export async function migrate(database: Database, isAllowed: boolean): Promise<void> {
  const missing = await missingMigrations(database, database.db);
  if (missing.length === 0) return;
  if (!isAllowed) {
    const names = missing.map(([name]) => name).join(", ");
    throw new Error(
      `The database of the streams lacks ${names}: start one process with DATABASE_MIGRATE=on, which brings its schema up to date.`,
    );
  }
  await database.migrate(async (tx) => {
    if (!(await database.hasTable(tx, "app_migrations"))) {
      await tx.schema
        .createTable("app_migrations")
        .addColumn("name", "text", (column) => column.primaryKey())
        .execute();
    }
    // Looked at again: another process may have migrated meanwhile.
    for (const [name, up] of await missingMigrations(database, tx)) {
      await up(tx);
      await tx.insertInto("app_migrations").values({ name }).execute();
    }
  });
}

async function missingMigrations(database: Database, reader: Reader) {
  const isNew = !(await database.hasTable(reader, "app_migrations"));
  const rows = isNew ? [] : await reader.selectFrom("app_migrations").select("name").execute();
  const applied = new Set(rows.map(({ name }) => name));
  const unknown = [...applied].filter((name) => !Object.hasOwn(MIGRATIONS, name));
  if (unknown.length > 0) {
    throw new Error(
      `The database of the streams has been through ${unknown.join(", ")}: its schema is newer than this app.`,
    );
  }
  return Object.entries(MIGRATIONS).filter(([name]) => !applied.has(name));
}
