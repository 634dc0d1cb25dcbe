import { connectionSettings, readingInt8, surviveLostConnections } from "../../databases/postgres.ts";
import { POSTGRES_CONNECTIONS, POSTGRES_STATEMENT_TIMEOUT_MS, STORE_STEP_TIMEOUT_MS } from "../../limits.ts";
import type { Row } from "../sql/rows.ts";
import { UnfitStore } from "../unfit-store.ts";

export interface Statement {
  /** Prepared once for each connection under this name. */
  readonly name?: string;
  readonly text: string;
}

interface Query extends Statement {
  readonly values?: unknown[];
  /** Milliseconds until the answer, where it is not the usual time. */
  readonly query_timeout?: number;
}

/** What is used of a client of `pg`. */
export interface Connection {
  query(query: Query): Promise<{ readonly rows: readonly Row[]; readonly rowCount: number | null }>;
  release(destroy?: boolean): void;
}

/** What is used of a pool of `pg`. */
export interface ConnectionPool {
  connect(): Promise<Connection>;
  end(): Promise<void>;
}

/** A connection that is told of what happens on a channel. */
export interface Listener {
  /** Resolves when it was lost, or ended. */
  readonly ended: Promise<void>;
  /** Rejects where the server does not answer in time. */
  ping(): Promise<void>;
  end(): void;
}

/** @throws when `pg` is not installed, or cannot read the URL */
export async function openPool(url: string): Promise<ConnectionPool> {
  const { Pool, types } = await loadDriver();
  const pool = new Pool({
    ...usual(url),
    max: POSTGRES_CONNECTIONS,
    statement_timeout: POSTGRES_STATEMENT_TIMEOUT_MS,
    // Times, positions and counts, all of them below 2^53.
    types: readingInt8(types.getTypeParser, Number),
  });
  surviveLostConnections(pool);
  return pool;
}

/**
 * Opens a connection of its own, which keeps no process alive.
 * @param channel a name as it may stand between double quotes
 */
export async function openListener(
  url: string,
  channel: string,
  onNotification: () => void,
): Promise<Listener> {
  const { Client } = await loadDriver();
  const client = new Client(usual(url));
  const ended = new Promise<void>((resolve) => {
    client.once("end", resolve);
    client.on("error", () => resolve());
  });
  client.on("notification", onNotification);
  const end = () => void client.end().catch(() => {});
  try {
    await client.connect();
    unref(client);
    await client.query(`LISTEN "${channel}"`);
  } catch (error) {
    end();
    throw error;
  }
  return { ended, ping: async () => void (await client.query("SELECT 1")), end };
}

/** Its types do not tell. */
function unref(client: object): void {
  if ("unref" in client && typeof client.unref === "function") client.unref();
}

function usual(url: string) {
  return {
    ...connectionSettings(url, "wallet-session"),
    query_timeout: STORE_STEP_TIMEOUT_MS,
  };
}

async function loadDriver() {
  try {
    // Bundlers leave it alone: most who bundle this package have no `pg`.
    return (await import(/* webpackIgnore: true */ /* turbopackIgnore: true */ "pg")).default;
  } catch (cause) {
    throw new UnfitStore("The PostgreSQL store needs the package pg: npm install pg", { cause });
  }
}
