import { randomBytes } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll } from "vitest";
import { migratePostgres } from "../postgres.ts";

/** A real server, whose user may make databases. `npm test` has looked whether it answers. */
const SERVER_URL = process.env.POSTGRES_URL || "postgres://postgres@127.0.0.1:5432/postgres";

export interface TemporaryDatabase {
  readonly name: string;
  readonly url: string;
  /** Names a schema that nobody has used. */
  newSchema(): string;
  /** A migrated schema with nothing in it, for one test at a time. It is made once: that takes longer than most tests do. */
  emptySchema(): Promise<string>;
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
  let emptied: string | null = null;

  beforeAll(() => queryAt(SERVER_URL, `CREATE DATABASE ${name}`));
  afterAll(() => queryAt(SERVER_URL, `DROP DATABASE ${name} WITH (FORCE)`));

  function newSchema(): string {
    schemas += 1;
    return `s${schemas}`;
  }

  async function emptySchema(): Promise<string> {
    if (emptied !== null) {
      await queryAt(url, emptying(emptied));
      return emptied;
    }
    const schema = newSchema();
    await migratePostgres({ url, schema });
    emptied = schema;
    return schema;
  }

  return {
    name,
    url,
    newSchema,
    emptySchema,
    query: (text, values) => queryAt(url, text, values),
    connect: () => connectTo(url),
    async someoneWaits(watcher) {
      const text =
        "SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()";
      while ((await watcher.query(text, [name])).rowCount === 0);
    },
  };
}

function emptying(schema: string): string {
  const tables = [
    "sessions",
    "consumed_challenges",
    "revocations",
    "signing_keys",
    "security_events",
    "proof_failures",
  ];
  return [
    ...tables.map((table) => `DELETE FROM ${schema}.${table};`),
    `UPDATE ${schema}.revocation_counter SET last_position = 0;`,
    `UPDATE ${schema}.security_event_lease SET owner = NULL, until = 0;`,
  ].join("\n");
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
