// @ts-check

/**
 * Whether the tests of the PostgreSQL store can run: on a real server, at `POSTGRES_URL` or on this machine, whose user may
 * make databases. Where there is none, all the others run and the reader is told. In CI nothing is left out, so there they
 * fail.
 *
 * @param {Record<string, string | undefined>} env
 * @returns {Promise<{ isThere: boolean, note?: string }>}
 */
export async function postgresToTestWith(env = process.env) {
  if (env.CI) return { isThere: true };
  const url = env.POSTGRES_URL || "postgres://postgres@127.0.0.1:5432/postgres";
  if (await mayMakeDatabases(url)) return { isThere: true };
  const place = URL.canParse(url) ? new URL(url).host : "POSTGRES_URL";
  return {
    isThere: false,
    note: `The tests on PostgreSQL did NOT run: no server at ${place} lets them make databases. POSTGRES_URL names another.`,
  };
}

/** @param {string} connectionString */
async function mayMakeDatabases(connectionString) {
  try {
    // Not before it is installed.
    const { Client } = (await import("pg")).default;
    const client = new Client({ connectionString, connectionTimeoutMillis: 2_000, query_timeout: 2_000 });
    client.on("error", () => {});
    await client.connect();
    try {
      const text = "SELECT 1 FROM pg_roles WHERE rolname = current_user AND (rolcreatedb OR rolsuper)";
      return (await client.query(text)).rowCount === 1;
    } finally {
      await client.end();
    }
  } catch {
    return false;
  }
}
