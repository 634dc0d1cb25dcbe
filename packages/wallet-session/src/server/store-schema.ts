import type { DatabaseUrl } from "../databases/url.ts";
import { migratePostgres, schemaOfPostgres } from "../stores/postgres.ts";
import type { SchemaState } from "../stores/schema-state.ts";
import { migrateSqlite, schemaOfSqlite } from "../stores/sqlite.ts";

/** How the schema of the database stands; null for one that has none. Reads only. Rejects with what the database says. */
export async function schemaOf(url: DatabaseUrl): Promise<SchemaState | null> {
  switch (url.kind) {
    case "memory":
    case "redis":
      return null;
    case "sqlite":
      return schemaOfSqlite({ path: url.path });
    case "postgres":
      return schemaOfPostgres({ url: url.url });
  }
}

/** Brings it up to date and returns the versions before and after; null for a database that has none. */
export async function migrateSchema(url: DatabaseUrl): Promise<{ from: number; to: number } | null> {
  switch (url.kind) {
    case "memory":
    case "redis":
      return null;
    case "sqlite":
      return migrateSqlite({ path: url.path });
    case "postgres":
      return migratePostgres({ url: url.url });
  }
}
