import { setTimeout as pause } from "node:timers/promises";
import { connectionSettings, readingInt8, surviveLostConnections } from "../../databases/postgres.ts";
import * as limits from "../../limits.ts";
import { missingPackage } from "../../missing-package.ts";
import type { Row } from "../sql/rows.ts";
import { UnfitStore } from "../unfit-store.ts";
import type { Listener } from "../wake-ups.ts";

// No type of `pg` stands in a declaration here: programs without `pg` read the declarations of this package, too.

/** How long the store waits for what. Tests that wait for the end of a wait take less. */
export const POSTGRES_TIMES = {
  /** For all that one step waits for. */
  stepMs: limits.STORE_STEP_TIMEOUT_MS,
  /** After which the server gives a statement up, on connections of the store's own pool. */
  statementMs: limits.POSTGRES_STATEMENT_TIMEOUT_MS,
  /** Between the loss of the connection that listens and the next one. */
  listenAgainMs: limits.POSTGRES_LISTEN_AGAIN_MS,
  /** Between two questions to that connection, whether it still answers. */
  listenPingMs: limits.POSTGRES_LISTEN_PING_MS,
};

export type PostgresTimes = Readonly<typeof POSTGRES_TIMES>;

export interface Statement {
  /** Prepared once for each connection under this name. */
  readonly name?: string;
  readonly text: string;
}

interface Query extends Statement {
  readonly values?: unknown[];
  /** Milliseconds until the answer. */
  readonly query_timeout?: number;
  readonly types?: Types;
}

interface Types {
  getTypeParser(oid: number, format?: "text" | "binary"): unknown;
}

interface Result {
  readonly rows: readonly Row[];
  readonly rowCount: number | null;
}

/** What a step uses of a connection. */
export interface Connection {
  query(query: Query): Promise<Result>;
  release(destroy?: boolean): void;
}

/** What the store uses of a connection of a `pg.Pool`. */
export interface PostgresClient extends Connection {
  on(event: "end" | "error" | "notification", listener: () => void): unknown;
}

/** What the store uses of a `pg.Pool`. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
}

/** A pool of the store's own to that URL, or a pool of the caller's. */
export type PostgresSource = { readonly url: string } | { readonly pool: PostgresPool };

export interface ConnectionPool {
  connect(): Promise<Connection>;
  end(): Promise<void>;
}

/** @throws when `pg` is not installed, or cannot read the URL */
export async function openPool(source: PostgresSource, times: PostgresTimes): Promise<ConnectionPool> {
  const { Pool, types } = await loadDriver();
  // Times, positions and counts, all of them below 2^53.
  const reading = readingInt8(types.getTypeParser, Number);
  if ("pool" in source) return handedIn(source.pool, reading, times);
  const pool = new Pool({
    ...usual(source.url, times),
    max: limits.POSTGRES_CONNECTIONS,
    statement_timeout: times.statementMs,
    types: reading,
  });
  surviveLostConnections(pool);
  return { connect: () => pool.connect(), end: () => pool.end() };
}

/** What the caller's pool has set for its own queries holds for these only where they do not say otherwise. */
function handedIn(pool: PostgresPool, types: Types, { stepMs }: PostgresTimes): ConnectionPool {
  const connect = async (): Promise<Connection> => {
    const client = await connectSafely(pool);
    return {
      query: (query) => client.query({ query_timeout: stepMs, ...query, types }),
      release: (destroy) => client.release(destroy),
    };
  };
  return { connect, end: async () => {} };
}

const listenedTo = new WeakSet<PostgresClient>();

/** A pool takes its error listener off while somebody holds the connection, and a loss without one ends the process. */
async function connectSafely(pool: PostgresPool): Promise<PostgresClient> {
  const client = await pool.connect();
  if (!listenedTo.has(client)) {
    listenedTo.add(client);
    client.on("error", () => {});
  }
  return client;
}

/**
 * Opens a connection of its own, or holds one of the caller's pool. It keeps no process alive. It ends where it is lost, and
 * where it does not answer any more.
 * @param channel a name as it may stand between double quotes
 */
export async function openListener(
  source: PostgresSource,
  channel: string,
  onNotification: () => void,
  times: PostgresTimes,
): Promise<Listener> {
  const { client, end } = await listeningClient(source, times);
  const lost = new Promise<void>((resolve) => {
    client.on("end", () => resolve());
    client.on("error", () => resolve());
  });
  client.on("notification", onNotification);
  const query = (text: string) => client.query({ text, query_timeout: times.stepMs });
  try {
    unref(client);
    await query(`LISTEN "${channel}"`);
  } catch (error) {
    end();
    throw error;
  }
  const answering = new AbortController();
  const silent = untilRejected(async () => {
    await pause(times.listenPingMs, undefined, { signal: answering.signal, ref: false });
    await query("SELECT 1");
  });
  return { ended: Promise.race([lost, silent]).finally(() => answering.abort()), end };
}

async function untilRejected(work: () => Promise<void>): Promise<void> {
  try {
    for (;;) await work();
  } catch {
    // That is the end of it.
  }
}

async function listeningClient(source: PostgresSource, times: PostgresTimes) {
  if ("pool" in source) {
    const client = await connectSafely(source.pool);
    let isHeld = true;
    const end = () => {
      // It listens, and so it is of no use to others any more.
      if (isHeld) client.release(true);
      isHeld = false;
    };
    return { client, end };
  }
  const { Client } = await loadDriver();
  const client = new Client(usual(source.url, times));
  client.on("error", () => {});
  const end = () => void client.end().catch(() => {});
  await client.connect().catch((error: unknown) => {
    end();
    throw error;
  });
  return { client, end };
}

/** Its types do not tell. */
function unref(client: object): void {
  if ("unref" in client && typeof client.unref === "function") client.unref();
}

function usual(url: string, { stepMs }: PostgresTimes) {
  const settings = connectionSettings(url, "wallet-session");
  return { ...settings, connectionTimeoutMillis: stepMs, query_timeout: stepMs };
}

async function loadDriver() {
  try {
    return (await import(/* webpackIgnore: true */ /* turbopackIgnore: false */ "pg")).default;
  } catch (cause) {
    throw new UnfitStore(missingPackage("The PostgreSQL store", "pg", cause), { cause });
  }
}
