import type { DatabaseSync } from "node:sqlite";
import type { Adapter } from "./adapter.ts";

const BUSY_TIMEOUT_MS = 5_000;

/**
 * The steps that an adapter can offer of a server that keeps its sessions in a SQLite file: it counts the rows of all tables,
 * and takes `tables` away by another name, so that reads fail as well as writes.
 */
export function sqliteHooks(
  path: string,
  tables: readonly string[],
): Required<Pick<Adapter, "storedRows" | "breakStore">> {
  function withDatabase<T>(work: (database: DatabaseSync) => T): T {
    // Loaded here, since most adapters need none.
    const sqlite = process.getBuiltinModule("node:sqlite");
    const database = new sqlite.DatabaseSync(path);
    try {
      database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
      return work(database);
    } finally {
      database.close();
    }
  }
  const rename = (from: (table: string) => string, to: (table: string) => string) =>
    withDatabase((database) => {
      for (const table of tables) database.exec(`ALTER TABLE "${from(table)}" RENAME TO "${to(table)}"`);
    });
  const here = (table: string) => table;
  const away = (table: string) => `${table}_away`;

  return {
    storedRows: async () =>
      withDatabase((database) => {
        const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
        const count = (name: unknown) => database.prepare(`SELECT count(*) AS rows FROM "${name}"`).get();
        return names.reduce((sum, { name }) => sum + Number(count(name)?.rows), 0);
      }),
    async breakStore() {
      rename(here, away);
      return async () => rename(away, here);
    },
  };
}
