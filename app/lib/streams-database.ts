import { reportFault } from "./auth.ts";
import { readAppSettings } from "./settings.ts";
import { lastPosition } from "./sql/positions.ts";
import { openSql, type Sql } from "./sql/sql.ts";

// As in auth.ts: the copies of this module share one connection.

const DATABASE = Symbol.for("streampay.streams-database");
const shared = globalThis as { [DATABASE]?: Promise<Sql> | undefined };

/**
 * The database of the streams and the operations, opened at first use. One that could not be opened is tried again.
 * @throws what `openSql` throws
 */
export function streamsDatabase(): Promise<Sql> {
  shared[DATABASE] ??= open();
  return shared[DATABASE];
}

/** Resolves when the database of the streams answers. @throws what `streamsDatabase` throws; store_unavailable */
export async function streamsReady(): Promise<void> {
  await lastPosition((await streamsDatabase()).db);
}

async function open(): Promise<Sql> {
  try {
    const { streamsDatabaseUrl, mayMigrate } = readAppSettings(process.env);
    return await openSql(streamsDatabaseUrl, reportFault, { mayMigrate });
  } catch (error) {
    shared[DATABASE] = undefined;
    throw error;
  }
}
