import type { DatabaseSync } from "node:sqlite";
import { SESSION_COLUMNS } from "../sql/rows.ts";

/** The statements of the steps, each prepared once for the connection. */
export function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string) => database.prepare(sql);
  return {
    consumeChallenge: prepare(
      "INSERT INTO consumed_challenges (id, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
    ),
    /** In the order of SESSION_COLUMNS. */
    insertSession: prepare(
      `INSERT INTO sessions (${SESSION_COLUMNS}, examine_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?10, ?11, ?, ?, ?, ?, min(?10, ?11))`,
    ),
    swap: prepare(
      `UPDATE sessions SET generation = ?, secret_hash = ?, salt = ?, retry_key_hash = ?,
         rotated_at = ?5, idle_expires_at = min(?, expires_at)
       WHERE id = ? AND transport = ? AND generation = ? AND secret_hash = ?
         AND revoked_at IS NULL AND idle_expires_at > ?5 AND expires_at > ?5
       RETURNING actor_id, created_at, expires_at, binding, client`,
    ),
    findSession: prepare(`SELECT ${SESSION_COLUMNS} FROM sessions WHERE id = ?`),
    listSessions: prepare(
      `SELECT ${SESSION_COLUMNS} FROM sessions
       WHERE actor_id = ?1 AND revoked_at IS NULL AND idle_expires_at > ?2 AND expires_at > ?2
       ORDER BY created_at DESC LIMIT ?3`,
    ),
    endedByReuse: prepare(
      `SELECT ${SESSION_COLUMNS} FROM sessions
       WHERE actor_id = ? AND revoked_reason = 'reuse' AND revoked_at > ?
       ORDER BY revoked_at DESC LIMIT ?`,
    ),
    revokeSession: prepare(
      `UPDATE sessions SET revoked_at = ?, revoked_reason = ? WHERE id = ? AND revoked_at IS NULL
       RETURNING id, actor_id`,
    ),
    revokeActor: prepare(
      `UPDATE sessions SET revoked_at = ?1, revoked_reason = ?2
       WHERE actor_id = ?3 AND id IS NOT ?4
         AND revoked_at IS NULL AND idle_expires_at > ?1 AND expires_at > ?1
       RETURNING id, actor_id`,
    ),
    revokeBatch: prepare(
      `UPDATE sessions SET revoked_at = ?1, revoked_reason = ?2
       WHERE id IN (SELECT id FROM sessions WHERE revoked_at IS NULL AND expires_at > ?1 ORDER BY expires_at LIMIT ?3)
       RETURNING id, actor_id`,
    ),
    log: prepare("INSERT INTO revocations (session_id, revoked_at) VALUES (?, ?)"),
    insertEvent: prepare(
      "INSERT INTO security_events (position, session_id, actor_id, reason, revoked_at) VALUES (?, ?, ?, ?, ?)",
    ),
    revocationsAfter: prepare(
      "SELECT position, session_id, revoked_at FROM revocations WHERE position > ? ORDER BY position LIMIT ?",
    ),
    logEnd: prepare("SELECT seq FROM sqlite_sequence WHERE name = 'revocations'"),
    countSessions: prepare(
      "SELECT count(*) AS count FROM sessions WHERE revoked_at IS NULL AND expires_at > ?",
    ),
    takeClaim: prepare(
      `UPDATE security_event_lease SET owner = ?1, until = ?2
       WHERE owner IS NULL OR owner = ?1 OR until <= ?3`,
    ),
    findClaim: prepare("SELECT 1 FROM security_event_lease WHERE owner = ?"),
    releaseClaim: prepare("UPDATE security_event_lease SET owner = NULL"),
    oldestEvents: prepare(
      `SELECT position, session_id, actor_id, reason, revoked_at FROM security_events
       ORDER BY position LIMIT ?`,
    ),
    deleteEventsUpTo: prepare("DELETE FROM security_events WHERE position <= ?"),
    signingKeys: prepare("SELECT * FROM signing_keys ORDER BY position"),
    /** The columns, and last the kid that must still be the newest. */
    addSigningKey: prepare(
      `INSERT INTO signing_keys (kid, public_key, sealed, created_at, signs_from)
       SELECT ?, ?, ?, ?, ? WHERE (SELECT kid FROM signing_keys ORDER BY position DESC LIMIT 1) IS ?`,
    ),
    dueSessions: prepare(
      `SELECT id, min(idle_expires_at, expires_at) AS ends_at FROM sessions
       WHERE examine_at < ? ORDER BY examine_at LIMIT ?`,
    ),
    deleteSession: prepare("DELETE FROM sessions WHERE id = ?"),
    examineLater: prepare("UPDATE sessions SET examine_at = ? WHERE id = ?"),
    pruneChallenges: prepare(
      `DELETE FROM consumed_challenges WHERE id IN
         (SELECT id FROM consumed_challenges WHERE expires_at < ? LIMIT ?)`,
    ),
    pruneRevocations: prepare(
      `DELETE FROM revocations WHERE position IN
         (SELECT position FROM revocations WHERE revoked_at < ? LIMIT ?)`,
    ),
    pruneEvents: prepare(
      `DELETE FROM security_events WHERE position IN
         (SELECT position FROM security_events WHERE revoked_at < ? LIMIT ?)`,
    ),
    ping: prepare("SELECT 1 FROM sessions LIMIT 1"),
  };
}
