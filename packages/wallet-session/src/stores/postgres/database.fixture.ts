import { randomBytes } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll } from "vitest";

/** A real server, whose user may make databases. `npm test` has looked whether it answers. */
const SERVER_URL = process.env.POSTGRES_URL || "postgres://postgres@127.0.0.1:5432/postgres";

export interface TemporaryDatabase {
  readonly name: string;
  readonly url: string;
  /** Names a schema that nobody has used. */
  newSchema(): string;
  /** Runs one statement on a connection of its own. */
  query(text: string, values?: unknown[]): Promise<pg.QueryResult>;
  /** A connection for the test, which ends it. */
  connect(): Promise<pg.Client>;
  /** Resolves as soon as a statement waits for a lock. The store waits for 2 s at most, so this looks often. */
  someoneWaits(watcher: pg.Client): Promise<void>;
}

/** An empty database for the tests of one file, dropped after them. */
export function temporaryDatabase(): TemporaryDatabase {
  const name = `wallet_session_test_${randomBytes(6).toString("hex")}`;
  const url = Object.assign(new URL(SERVER_URL), { pathname: `/${name}` }).href;
  let schemas = 0;

  beforeAll(() => queryAt(SERVER_URL, `CREATE DATABASE ${name}`));
  afterAll(() => queryAt(SERVER_URL, `DROP DATABASE ${name} WITH (FORCE)`));

  return {
    name,
    url,
    newSchema() {
      schemas += 1;
      return `s${schemas}`;
    },
    query: (text, values) => queryAt(url, text, values),
    connect: () => connectTo(url),
    async someoneWaits(watcher) {
      const text =
        "SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()";
      while ((await watcher.query(text, [name])).rowCount === 0);
    },
  };
}

async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on("error", () => {});
  await client.connect();
  return client;
}

async function queryAt(url: string, text: string, values: unknown[] = []): Promise<pg.QueryResult> {
  const client = await connectTo(url);
  try {
    return await client.query(text, values);
  } finally {
    await client.end();
  }
}
