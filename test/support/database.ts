import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import type { AppServer } from "./app-server.ts";

const BUSY_TIMEOUT_MS = 5_000;

type Row = Record<string, SQLOutputValue>;

/** What stands in a session's row. */
export interface StoredSession {
  readonly generation: number;
  readonly revokedReason: string | null;
}

/** Runs `work` on a connection of the test's own, beside the server's. */
export function withDatabase<T>(server: AppServer, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(server.databasePath);
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    return work(database);
  } finally {
    database.close();
  }
}

export function storedSession(server: AppServer, sessionId: string): StoredSession {
  return withDatabase(server, (database) => {
    const row = database
      .prepare("SELECT generation, revoked_reason FROM sessions WHERE id = ?")
      .get(idBytes(sessionId));
    if (!(row?.generation instanceof Uint8Array)) throw new Error("there is no such session");
    return {
      generation: Buffer.from(row.generation).readUInt32BE(),
      revokedReason: row.revoked_reason === null ? null : String(row.revoked_reason),
    };
  });
}

/** Moves the end of a session's idle or absolute time to `secondsLeft` from now, as if it had been waited for. */
export function age(
  server: AppServer,
  sessionId: string,
  limit: "idle_expires_at" | "expires_at",
  secondsLeft = 0,
): void {
  withDatabase(server, (database) => {
    const { changes } = database
      .prepare(`UPDATE sessions SET ${limit} = ? WHERE id = ?`)
      .run(Date.now() + secondsLeft * 1_000, idBytes(sessionId));
    if (changes !== 1) throw new Error("there is no such session");
  });
}

/** The sessions are not where they should be: reads fail as well as writes. */
export async function whileGone(server: AppServer, work: () => Promise<void>): Promise<void> {
  withDatabase(server, (database) => database.exec("ALTER TABLE sessions RENAME TO sessions_gone"));
  try {
    await work();
  } finally {
    withDatabase(server, (database) => database.exec("ALTER TABLE sessions_gone RENAME TO sessions"));
  }
}

/** Everything in the database, to compare before and after. */
export function dump(server: AppServer): string {
  return withDatabase(server, (database) => {
    const tables = database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
      .all();
    return tables.map(({ name }) => rowsOf(database, String(name))).join("\n");
  });
}

function rowsOf(database: DatabaseSync, table: string): string {
  const rows: Row[] = database.prepare(`SELECT * FROM "${table}"`).all();
  const lines = rows.map((row) =>
    JSON.stringify(row, (_, value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
    ),
  );
  return [table, ...lines].join("\n");
}

function idBytes(sessionId: string): Buffer {
  return Buffer.from(sessionId, "base64url");
}
