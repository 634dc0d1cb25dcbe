import { readAppSettings } from "./settings.ts";
import type { FaultSink } from "./sql/database.ts";
import { lastPosition } from "./sql/positions.ts";
import { openSql, type Sql } from "./sql/sql.ts";

// What the app keeps: the sessions, keyed by actor id, with the revocation log that every process follows, in the store that
// `DATABASE_URL` names; and the streams and operations, in an SQL database beside it.

export { openStore } from "wallet-session/server";

const DATABASE = Symbol.for("streampay.streams-database");
// Next loads one module as several copies, which share the global object, and so one connection.
const shared = globalThis as { [DATABASE]?: Promise<Sql> | undefined };

/**
 * The database of the streams and operations, opened at first use. An open that fails is tried again by the next call.
 * @param onFault the first caller's is told of every fault
 * @throws what `openSql` throws
 */
export function streamsDatabase(onFault: FaultSink): Promise<Sql> {
  shared[DATABASE] ??= open(onFault);
  return shared[DATABASE];
}

/** Resolves when the database of the streams answers. @throws what `streamsDatabase` throws; store_unavailable */
export async function streamsReady(onFault: FaultSink): Promise<void> {
  await lastPosition((await streamsDatabase(onFault)).db);
}

async function open(onFault: FaultSink): Promise<Sql> {
  try {
    const { streamsDatabaseUrl, mayMigrate } = readAppSettings(process.env);
    return await openSql(streamsDatabaseUrl, onFault, { mayMigrate });
  } catch (error) {
    shared[DATABASE] = undefined;
    throw error;
  }
}
