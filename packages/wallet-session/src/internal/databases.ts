/**
 * Facts about PostgreSQL and SQLite for programs that keep their own tables beside the sessions, as StreamPay does. Private: no
 * promise of stability.
 */
export * as postgres from "../databases/postgres.ts";
export * as sqlite from "../databases/sqlite.ts";
export {
  DATABASE_URL_DEFAULT,
  type EmbeddedDatabaseUrl,
  type SqlDatabaseUrl,
  sqlDatabaseUrl,
} from "../databases/url.ts";
