export interface Migration {
  /** The oldest version whose processes can go on, and start, on the schema after this migration. */
  readonly worksWith: number;
  /** `SCHEMA` stands for the quoted name of the schema. */
  readonly statements: string;
}

/**
 * The schema, one entry per version: entry n takes it from version n to n + 1. Entries are never edited once released, only
 * added. `npx wallet-session migrate --print` shows what they run as on a database (docs/decisions/0034).
 *
 * - All columns that a rotation writes are of fixed size, but for the key that it may bind a session to, and in no index and no index's condition: with room on the page
 *   (`fillfactor`) a rotation is a heap-only update, which touches no index and leaves nothing for VACUUM to collect.
 * - `examine_at` is when to look at a session for pruning: never later than its end, and not touched by rotation. `prune`
 *   moves it on for sessions that have lived on since.
 * - `sessions_not_revoked` is for counting and ending all; rotation does not touch it either.
 * - `revocation_counter` has one row. A transaction that appends to the log locks it until its commit: positions become visible
 *   in their order (docs/decisions/0022). A proof failure takes the next position for its event, without an entry in the log.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    worksWith: 1,
    statements: `
  CREATE TABLE SCHEMA.schema_version (version bigint NOT NULL);
  INSERT INTO SCHEMA.schema_version VALUES (0);

  CREATE TABLE SCHEMA.sessions (
    id bytea PRIMARY KEY CHECK (octet_length(id) = 16),
    actor_id text NOT NULL,
    transport text NOT NULL CHECK (transport IN ('body', 'cookie')),
    generation bigint NOT NULL,
    secret_hash bytea NOT NULL,
    salt bytea NOT NULL,
    retry_key_hash bytea,
    created_at bigint NOT NULL,
    rotated_at bigint NOT NULL,
    idle_expires_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    examine_at bigint NOT NULL,
    revoked_at bigint,
    revoked_reason text,
    binding text,
    client text NOT NULL
  ) WITH (fillfactor = 70);
  CREATE INDEX sessions_by_actor ON SCHEMA.sessions (actor_id, created_at) WHERE revoked_at IS NULL;
  CREATE INDEX sessions_by_examine_at ON SCHEMA.sessions (examine_at);
  CREATE INDEX sessions_ended_by_reuse ON SCHEMA.sessions (actor_id, revoked_at) WHERE revoked_reason = 'reuse';

  CREATE TABLE SCHEMA.consumed_challenges (
    id text PRIMARY KEY,
    expires_at bigint NOT NULL
  );
  CREATE INDEX consumed_challenges_by_expires_at ON SCHEMA.consumed_challenges (expires_at);

  CREATE TABLE SCHEMA.revocations (
    position bigint PRIMARY KEY,
    session_id bytea NOT NULL,
    revoked_at bigint NOT NULL
  );
  CREATE INDEX revocations_by_revoked_at ON SCHEMA.revocations (revoked_at);

  CREATE TABLE SCHEMA.revocation_counter (
    only_row boolean PRIMARY KEY CHECK (only_row),
    last_position bigint NOT NULL
  ) WITH (fillfactor = 10);
  INSERT INTO SCHEMA.revocation_counter VALUES (true, 0);

  CREATE TABLE SCHEMA.signing_keys (
    position bigint PRIMARY KEY,
    kid text NOT NULL UNIQUE,
    public_key bytea NOT NULL,
    sealed bytea NOT NULL,
    created_at bigint NOT NULL,
    signs_from bigint NOT NULL
  );
  `,
  },
  {
    worksWith: 1,
    statements: `
  ALTER TABLE SCHEMA.schema_version ADD COLUMN works_with bigint NOT NULL DEFAULT 1;

  CREATE INDEX sessions_not_revoked ON SCHEMA.sessions (expires_at, id) WHERE revoked_at IS NULL;

  CREATE TABLE SCHEMA.security_events (
    position bigint PRIMARY KEY,
    session_id bytea NOT NULL,
    actor_id text NOT NULL,
    reason text NOT NULL,
    revoked_at bigint NOT NULL
  );
  CREATE INDEX security_events_by_revoked_at ON SCHEMA.security_events (revoked_at);

  CREATE TABLE SCHEMA.security_event_lease (
    only_row boolean PRIMARY KEY CHECK (only_row),
    owner text,
    until bigint NOT NULL
  ) WITH (fillfactor = 10);
  INSERT INTO SCHEMA.security_event_lease VALUES (true, NULL, 0);
  `,
  },
  {
    // A process of version 2 cannot read the event of a proof failure. Where it has the delivery claim, all events wait until
    // it ends.
    worksWith: 1,
    statements: `
  CREATE TABLE SCHEMA.proof_failures (
    session_id bytea PRIMARY KEY,
    failed_at bigint NOT NULL
  );
  CREATE INDEX proof_failures_by_failed_at ON SCHEMA.proof_failures (failed_at);
  `,
  },
];

/** The one transaction's statements that take the schema from `version` on, one text for each version. */
export function migrationsFrom(version: number, schema: string): string[] {
  return MIGRATIONS.slice(version).map(({ worksWith, statements }, index) => {
    const to = version + index + 1;
    // Before version 2 there is no such column.
    const compatible = to < 2 ? "" : `, works_with = ${worksWith}`;
    const text = statements.replaceAll(/^ {2}/gm, "").trim().replaceAll("SCHEMA", quoted(schema));
    return `${text}\n\nUPDATE ${quoted(schema)}.schema_version SET version = ${to}${compatible};\n`;
  });
}

export function quoted(schema: string): string {
  return `"${schema}"`;
}
