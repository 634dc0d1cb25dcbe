import type { DatabaseUrl } from "../databases/url.ts";
import type { SessionStore } from "../store.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { migratePostgres, openPostgresStore, schemaOfPostgres } from "../stores/postgres.ts";
import { openRedisStore, type RedisStoreOptions } from "../stores/redis.ts";
import type { SchemaState } from "../stores/schema-state.ts";
import { migrateSqlite, openSqliteStore, schemaOfSqlite } from "../stores/sqlite.ts";
import { openCustomStore } from "./custom-store.ts";

/** What only some stores ask for. */
export interface StoreSettings {
  /** False: a PostgreSQL schema that is older than it must be is refused, not brought up to date. @default true */
  readonly databaseMigrate?: boolean;
  readonly redisDurability?: NonNullable<RedisStoreOptions["durability"]>;
  /** Gets each setting of a server by which acknowledged writes can be lost. @default a warning of the process */
  readonly onWarning?: (warning: string) => void;
}

/** The store that `DATABASE_URL` names. */
export function openStore(
  url: DatabaseUrl,
  { databaseMigrate = true, redisDurability, onWarning }: StoreSettings = {},
): SessionStore {
  switch (url.kind) {
    case "memory":
      return createMemoryStore();
    case "sqlite":
      return openSqliteStore({ path: url.path });
    case "postgres":
      return openPostgresStore({ url: url.url, migrate: databaseMigrate ? "auto" : "check" });
    case "redis":
      return openRedisStore({
        url: url.url,
        ...(redisDurability && { durability: redisDurability }),
        ...(onWarning && { onWarning }),
      });
    case "custom":
      return openCustomStore(url);
  }
}

/** The schema of a database: how it stands, and what brings it up to date and returns the versions before and after. */
export interface Schema {
  /** Reads only. Rejects with what the database says. */
  state(): Promise<SchemaState>;
  migrate(): Promise<{ readonly from: number; readonly to: number }>;
}

/** Null for a database that has none. */
export function schemaOf(url: DatabaseUrl): Schema | null {
  switch (url.kind) {
    case "memory":
    case "redis":
    case "custom":
      return null;
    case "sqlite":
      return { state: async () => schemaOfSqlite(url), migrate: async () => migrateSqlite(url) };
    case "postgres": {
      const options = { url: url.url };
      return { state: () => schemaOfPostgres(options), migrate: () => migratePostgres(options) };
    }
  }
}
