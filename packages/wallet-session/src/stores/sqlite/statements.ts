import type { DatabaseSync, StatementSync } from "node:sqlite";
import { SESSION_COLUMNS } from "../sql/rows.ts";

const STATEMENTS = {
  consumeChallenge: "INSERT INTO consumed_challenges (id, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
  /** In the order of SESSION_COLUMNS. */
  insertSession: `INSERT INTO sessions (${SESSION_COLUMNS}, examine_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?10, ?11, ?, ?, ?, ?, min(?10, ?11))`,
  swap: `UPDATE sessions SET generation = ?, secret_hash = ?, salt = ?, retry_key_hash = ?,
       rotated_at = ?5, idle_expires_at = min(?, expires_at), binding = ?
     WHERE id = ? AND transport = ? AND generation = ? AND secret_hash = ? AND binding IS ?
       AND revoked_at IS NULL AND idle_expires_at > ?5 AND expires_at > ?5
     RETURNING actor_id, created_at, expires_at, client`,
  findSession: `SELECT ${SESSION_COLUMNS} FROM sessions WHERE id = ?`,
  listSessions: `SELECT ${SESSION_COLUMNS} FROM sessions
     WHERE actor_id = ?1 AND revoked_at IS NULL AND idle_expires_at > ?2 AND expires_at > ?2
     ORDER BY created_at DESC LIMIT ?3`,
  endedByReuse: `SELECT ${SESSION_COLUMNS} FROM sessions
     WHERE actor_id = ? AND revoked_reason = 'reuse' AND revoked_at > ?
     ORDER BY revoked_at DESC LIMIT ?`,
  revokeSession: `UPDATE sessions SET revoked_at = ?, revoked_reason = ? WHERE id = ? AND revoked_at IS NULL
     RETURNING id, actor_id`,
  revokeActor: `UPDATE sessions SET revoked_at = ?1, revoked_reason = ?2
     WHERE actor_id = ?3 AND id IS NOT ?4
       AND revoked_at IS NULL AND idle_expires_at > ?1 AND expires_at > ?1
     RETURNING id, actor_id`,
  revokeBatch: `UPDATE sessions SET revoked_at = ?1, revoked_reason = ?2
     WHERE id IN (SELECT id FROM sessions WHERE revoked_at IS NULL AND expires_at > ?1 ORDER BY expires_at LIMIT ?3)
     RETURNING id, actor_id`,
  log: "INSERT INTO revocations (session_id, revoked_at) VALUES (?, ?)",
  unlog: "DELETE FROM revocations WHERE position = ?",
  insertEvent:
    "INSERT INTO security_events (position, session_id, actor_id, reason, revoked_at) VALUES (?, ?, ?, ?, ?)",
  /** The failure, and last the time after which one that is noted stands. */
  noteProofFailure: `INSERT INTO proof_failures (session_id, failed_at) VALUES (?, ?)
     ON CONFLICT DO UPDATE SET failed_at = excluded.failed_at WHERE failed_at <= ?`,
  /** Of the ids in a JSON array, each in hexadecimal digits. */
  proofFailures: `SELECT session_id, failed_at FROM proof_failures
     WHERE session_id IN (SELECT unhex(value) FROM json_each(?))`,
  revocationsAfter:
    "SELECT position, session_id, revoked_at FROM revocations WHERE position > ? ORDER BY position LIMIT ?",
  logEnd: "SELECT seq FROM sqlite_sequence WHERE name = 'revocations'",
  countSessions: "SELECT count(*) AS count FROM sessions WHERE revoked_at IS NULL AND expires_at > ?",
  takeClaim: `UPDATE security_event_lease SET owner = ?1, until = ?2
     WHERE owner IS NULL OR owner = ?1 OR until <= ?3`,
  findClaim: "SELECT 1 FROM security_event_lease WHERE owner = ?",
  releaseClaim: "UPDATE security_event_lease SET owner = NULL",
  oldestEvents: `SELECT position, session_id, actor_id, reason, revoked_at FROM security_events
     ORDER BY position LIMIT ?`,
  deleteEventsUpTo: "DELETE FROM security_events WHERE position <= ?",
  signingKeys: "SELECT * FROM signing_keys ORDER BY position",
  /** The columns, and last the kid that must still be the newest. */
  addSigningKey: `INSERT INTO signing_keys (kid, public_key, sealed, created_at, signs_from)
     SELECT ?, ?, ?, ?, ? WHERE (SELECT kid FROM signing_keys ORDER BY position DESC LIMIT 1) IS ?`,
  dueSessions: `SELECT id, min(idle_expires_at, expires_at) AS ends_at FROM sessions
     WHERE examine_at < ? ORDER BY examine_at LIMIT ?`,
  deleteSession: "DELETE FROM sessions WHERE id = ?",
  examineLater: "UPDATE sessions SET examine_at = ? WHERE id = ?",
  pruneChallenges: deleteBefore("consumed_challenges", "id", "expires_at"),
  pruneRevocations: deleteBefore("revocations", "position", "revoked_at"),
  pruneEvents: deleteBefore("security_events", "position", "revoked_at"),
  pruneProofFailures: deleteBefore("proof_failures", "session_id", "failed_at"),
  readable: "SELECT 1 FROM sessions LIMIT 1",
  // A field of the first page that nobody uses: the page is written, and stays as it is.
  writable: "PRAGMA application_id = 0",
} as const;

/** The statements of the steps, each prepared once for the connection. */
export function prepareStatements(database: DatabaseSync) {
  const prepared = Object.entries(STATEMENTS).map(([step, sql]) => [step, database.prepare(sql)]);
  return Object.fromEntries(prepared) as Readonly<Record<keyof typeof STATEMENTS, StatementSync>>;
}

/** By a time and a number of rows. */
function deleteBefore(table: string, key: string, time: string): string {
  return `DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table} WHERE ${time} < ? LIMIT ?)`;
}
