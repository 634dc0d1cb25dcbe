import type { ColumnType } from "kysely";
import type { HttpTables } from "../http/tables.ts";
import type { OperationTables } from "../operations/tables.ts";
import type { StreamTables } from "../streams/tables.ts";

/** An integer of up to 64 bits: amounts in stroops, times in milliseconds since 1970, counts. Always read as a `bigint`. */
export type Int = ColumnType<bigint, bigint | number, bigint | number>;

/** One row: the last position that was given out. */
interface PositionsTable {
  id: Int;
  last: Int;
}

/** The names of the migrations that this database has been through. */
interface AppMigrationsTable {
  name: string;
}

/** Every table of the app, as the last migration leaves it. */
export interface Schema extends StreamTables, OperationTables, HttpTables {
  positions: PositionsTable;
  app_migrations: AppMigrationsTable;
}
