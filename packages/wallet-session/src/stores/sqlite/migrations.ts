/**
 * The schema, one entry per version: entry n takes a database from `user_version` n to n + 1. Entries are never
 * edited once released, only added.
 *
 * - A session's row never changes its size by rotating, but once where that binds it to a key. SQLite stores small integers in fewer bytes than large ones,
 *   so the generation is a 4-byte big-endian BLOB; times in milliseconds take 6 bytes from February 1970 to the year 6429.
 * - `examine_at` is when to look at a session for pruning: its end at first, and not touched by rotation, so that a rotation
 *   changes the row and no index. `prune` moves it on for sessions that have lived on since. Where a rotation has brought the end
 *   forward, with a shorter idle limit, the session is pruned when it would have been before.
 * - `sessions_not_revoked` is for counting and ending all; rotation does not touch it either.
 * - `sessions_ended_by_reuse` has a row for each alarm that is still kept, and no other write touches it.
 * - AUTOINCREMENT: a position in the revocation log is never used again after its entry was pruned, and the last one stays
 *   known. Its security event has the same. A proof failure takes the next one for its event, without an entry.
 * - An older process cannot read the event of a proof failure. Where it has the delivery claim, all events wait until it ends.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE sessions (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    actor_id TEXT NOT NULL,
    transport TEXT NOT NULL CHECK (transport IN ('body', 'cookie')),
    generation BLOB NOT NULL CHECK (length(generation) = 4),
    secret_hash BLOB NOT NULL,
    salt BLOB NOT NULL,
    retry_key_hash BLOB,
    created_at INTEGER NOT NULL,
    rotated_at INTEGER NOT NULL,
    idle_expires_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    examine_at INTEGER NOT NULL,
    revoked_at INTEGER,
    revoked_reason TEXT,
    binding TEXT,
    client TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sessions_by_actor ON sessions (actor_id, created_at) WHERE revoked_at IS NULL;
  CREATE INDEX sessions_by_examine_at ON sessions (examine_at);

  CREATE TABLE consumed_challenges (
    id TEXT PRIMARY KEY NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX consumed_challenges_by_expires_at ON consumed_challenges (expires_at);

  CREATE TABLE revocations (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id BLOB NOT NULL,
    revoked_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX revocations_by_revoked_at ON revocations (revoked_at);

  CREATE TABLE signing_keys (
    position INTEGER PRIMARY KEY,
    kid TEXT NOT NULL UNIQUE,
    public_key BLOB NOT NULL,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    signs_from INTEGER NOT NULL
  ) STRICT;
  `,
  `
  CREATE INDEX sessions_ended_by_reuse ON sessions (actor_id, revoked_at) WHERE revoked_reason = 'reuse';
  `,
  `
  CREATE INDEX sessions_not_revoked ON sessions (expires_at) WHERE revoked_at IS NULL;

  CREATE TABLE security_events (
    position INTEGER PRIMARY KEY,
    session_id BLOB NOT NULL,
    actor_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    revoked_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX security_events_by_revoked_at ON security_events (revoked_at);

  CREATE TABLE security_event_lease (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    owner TEXT,
    until INTEGER NOT NULL
  ) STRICT;
  INSERT INTO security_event_lease VALUES (1, NULL, 0);
  `,
  `
  CREATE TABLE proof_failures (
    session_id BLOB PRIMARY KEY NOT NULL,
    failed_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX proof_failures_by_failed_at ON proof_failures (failed_at);
  `,
];
