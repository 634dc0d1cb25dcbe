import { createHash } from "node:crypto";
import { DURABLY } from "../../databases/postgres.ts";
import { GENERATION_MAX } from "../../store.ts";
import { SESSION_COLUMNS } from "../sql/rows.ts";
import type { Statement } from "./driver.ts";

const KEY_COLUMNS = "kid, public_key, sealed, created_at, signs_from";

/**
 * The steps of the contract, each ONE statement, and so one transaction and one round trip, whatever the isolation level;
 * no lock is held while a process thinks. `schema`: the name, not quoted.
 */
export function createStatements(schema: string) {
  const sessions = `"${schema}".sessions`;
  const challenges = `"${schema}".consumed_challenges`;
  const revocations = `"${schema}".revocations`;
  // Equal ones of one transaction are sent once.
  const notify = `pg_notify('${schema}', '')`;
  const proofFailures = `"${schema}".proof_failures`;
  const counter = `"${schema}".revocation_counter`;
  const events = `"${schema}".security_events`;
  // Under its first name, so that older processes find it.
  const deliveryClaim = `"${schema}".security_event_lease`;
  const keys = `"${schema}".signing_keys`;
  const live = (now: string) => `revoked_at IS NULL AND idle_expires_at > ${now} AND expires_at > ${now}`;

  return preparedBy({
    /** $1 to $15: the session; $16, $17: the challenge. A row where it was created. */
    createSession: `WITH consumed AS (
         INSERT INTO ${challenges} (id, expires_at) VALUES ($16, $17) ON CONFLICT (id) DO NOTHING RETURNING id
       )
       INSERT INTO ${sessions} (${SESSION_COLUMNS}, examine_at)
       SELECT $1::bytea, $2, $3, $4::bigint, $5::bytea, $6::bytea, $7::bytea, $8::bigint, $9::bigint, $10::bigint,
         $11::bigint, $12::bigint, $13, $14, $15, LEAST($10::bigint, $11::bigint)
       FROM consumed
       RETURNING ${DURABLY}`,

    /** $1 the challenge, $2 its end. A row where it was not used before. */
    consumeChallenge: `INSERT INTO ${challenges} (id, expires_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING ${DURABLY}`,

    /**
     * $1 id, $2 transport, $3 generation, $4 hash, $5 to $7 next hash, salt and retry key's hash, $8 now, $9 idle limit,
     * $10, $11 binding and next one.
     * What the swap does not know of the row that it has written; no row where none matched. An `UPDATE` that waited for
     * another one judges the row as that one has left it.
     */
    rotate: `UPDATE ${sessions} SET generation = generation + 1, secret_hash = $5, salt = $6, retry_key_hash = $7,
         rotated_at = $8, idle_expires_at = LEAST($9, expires_at), binding = $11
       WHERE id = $1 AND transport = $2 AND generation = $3 AND generation < ${GENERATION_MAX} AND secret_hash = $4
         AND binding IS NOT DISTINCT FROM $10 AND ${live("$8")}
       RETURNING actor_id, created_at, expires_at, client, ${DURABLY}`,

    findSession: `SELECT ${SESSION_COLUMNS} FROM ${sessions} WHERE id = $1`,

    /** $1 actor, $2 now, $3 limit. */
    listSessions: `SELECT ${SESSION_COLUMNS} FROM ${sessions} WHERE actor_id = $1 AND ${live("$2")}
       ORDER BY created_at DESC LIMIT $3`,

    /** $1 actor, $2 since, $3 limit. */
    endedByReuse: `SELECT ${SESSION_COLUMNS} FROM ${sessions}
       WHERE actor_id = $1 AND revoked_reason = 'reuse' AND revoked_at > $2
       ORDER BY revoked_at DESC LIMIT $3`,

    /** $1 revoked at, $2 reason, $3 id. */
    revokeSession: revoking("id = $3 AND revoked_at IS NULL"),

    /** $1 revoked at, $2 reason, $3 actor, $4 the id that stays or null. */
    revokeActor: revoking(`actor_id = $3 AND id IS DISTINCT FROM $4 AND ${live("$1")}`),

    /**
     * $1 revoked at, $2 reason, $3 limit. Waits for writers of one of them, so that none is passed over. Locks rows of one end in
     * one order, or two batches would wait for each other until PostgreSQL ended one, which takes it a second.
     */
    revokeBatch: revoking(
      "id IN (SELECT id FROM chosen)",
      `chosen AS (
        SELECT id FROM ${sessions} WHERE revoked_at IS NULL AND expires_at > $1
        ORDER BY expires_at, id LIMIT $3 FOR UPDATE
      ), `,
    ),

    /**
     * $1 session, $2 actor, $3 time, $4 the time after which one that is noted stands. A row where it was noted. As with
     * `revoking`, the counter comes last.
     */
    noteProofFailure: `WITH noted AS (
         INSERT INTO ${proofFailures} AS known (session_id, failed_at) VALUES ($1::bytea, $3::bigint)
         ON CONFLICT (session_id) DO UPDATE SET failed_at = excluded.failed_at WHERE known.failed_at <= $4
         RETURNING session_id, failed_at
       ), counted AS (
         UPDATE ${counter} SET last_position = last_position + 1 WHERE EXISTS (SELECT 1 FROM noted) RETURNING last_position
       )
       INSERT INTO ${events} (position, session_id, actor_id, reason, revoked_at)
       SELECT last_position, session_id, $2, 'proof_failed', failed_at FROM noted CROSS JOIN counted
       RETURNING ${DURABLY}`,

    /** $1 the ids. */
    proofFailures: `SELECT session_id, failed_at FROM ${proofFailures} WHERE session_id = ANY($1::bytea[])`,

    /** $1 position, $2 limit. At least one row, which tells the log's end; without an entry its position is null. */
    revocationsAfter: `SELECT last_position, entry.* FROM ${counter} LEFT JOIN (
         SELECT position, session_id, revoked_at FROM ${revocations} WHERE position > $1 ORDER BY position LIMIT $2
       ) entry ON true
       ORDER BY position`,

    /** $1, $2: the end and the id that were counted last, $3 limit. How many come next, and the last of them. */
    countSessions: `WITH slice AS (
         SELECT expires_at, id FROM ${sessions}
         WHERE revoked_at IS NULL AND (expires_at, id) > ($1::bigint, $2::bytea)
         ORDER BY expires_at, id LIMIT $3
       )
       SELECT (SELECT count(*) FROM slice) AS count, expires_at, id FROM slice
       ORDER BY expires_at DESC, id DESC LIMIT 1`,

    /**
     * $1 owner, $2 now, $3 until, $4 limit. No row: another owner has the claim. Else at least one, which without an event
     * has no position. The events are locked so that those that went while this waited for the claim are not seen.
     */
    claimEvents: `WITH claimed AS (
         UPDATE ${deliveryClaim} SET owner = $1, until = $3 WHERE owner IS NULL OR owner = $1 OR until <= $2
         RETURNING ${DURABLY}
       )
       SELECT event.* FROM claimed LEFT JOIN LATERAL (
         SELECT position, session_id, actor_id, reason, revoked_at FROM ${events} ORDER BY position LIMIT $4 FOR UPDATE
       ) event ON true
       ORDER BY position`,

    /** $1 owner, $2 position, $3 whether to give the claim back. A row where the owner had it. */
    settleEvents: `WITH held AS (
         UPDATE ${deliveryClaim} SET owner = CASE WHEN $3::boolean THEN NULL ELSE owner END WHERE owner = $1
         RETURNING ${DURABLY}
       ), settled AS (
         DELETE FROM ${events} WHERE position <= $2 AND EXISTS (SELECT 1 FROM held)
       )
       SELECT 1 FROM held`,

    signingKeys: `SELECT ${KEY_COLUMNS} FROM ${keys} ORDER BY position`,

    /**
     * $1 to $5: the key; $6: the kid that must still be the newest. A row where it was added. Of several at once, one gets
     * the next position.
     */
    addSigningKey: `WITH newest AS (SELECT kid, position FROM ${keys} ORDER BY position DESC LIMIT 1)
       INSERT INTO ${keys} (position, ${KEY_COLUMNS})
       SELECT COALESCE((SELECT position FROM newest), 0) + 1, $1, $2::bytea, $3::bytea, $4::bigint, $5::bigint
       WHERE (SELECT kid FROM newest) IS NOT DISTINCT FROM $6
       ON CONFLICT (position) DO NOTHING
       RETURNING ${DURABLY}`,

    /**
     * $1 the bound, $2 limit. Deletes the ended ones of the next sessions that are due for a look, and puts the others off
     * to their end. A session that somebody is just writing to is left for the next time.
     */
    pruneSessions: `WITH due AS (
         SELECT id, LEAST(idle_expires_at, expires_at) AS ends_at FROM ${sessions}
         WHERE examine_at < $1 ORDER BY examine_at LIMIT $2 FOR UPDATE SKIP LOCKED
       ), deleted AS (
         DELETE FROM ${sessions} s USING due WHERE s.id = due.id AND due.ends_at < $1 RETURNING 1
       ), later AS (
         UPDATE ${sessions} s SET examine_at = due.ends_at FROM due WHERE s.id = due.id AND due.ends_at >= $1
       )
       SELECT (SELECT count(*) FROM due) AS examined, (SELECT count(*) FROM deleted) AS deleted`,

    pruneChallenges: deleteBefore(challenges, "id", "expires_at", "1"),
    pruneRevocations: deleteBefore(revocations, "position", "revoked_at", "1"),
    pruneEvents: deleteBefore(events, "position", "revoked_at", DURABLY),
    pruneProofFailures: deleteBefore(proofFailures, "session_id", "failed_at", DURABLY),

    /** A lock on a row is written to the log of the database: no standby does that, nor a database that is read-only. */
    ping: `SELECT ${DURABLY} FROM ${counter} FOR NO KEY UPDATE`,
  });

  /**
   * Marks the sessions, appends to the log and the events, and wakes the followers of the log. The counter comes last, so that
   * its row is locked only where something was revoked, and for no longer than the commit takes. A row with the id for each
   * session.
   */
  function revoking(where: string, before = ""): string {
    return `WITH ${before}ended AS (
        UPDATE ${sessions} SET revoked_at = $1, revoked_reason = $2 WHERE ${where} RETURNING id, actor_id
      ), counted AS (
        UPDATE ${counter} SET last_position = last_position + (SELECT count(*) FROM ended)
        WHERE EXISTS (SELECT 1 FROM ended) RETURNING last_position
      ), placed AS (
        SELECT counted.last_position + 1 - row_number() OVER () AS position, ended.* FROM ended CROSS JOIN counted
      ), told AS (
        INSERT INTO ${events} (position, session_id, actor_id, reason, revoked_at)
        SELECT position, id, actor_id, $2, $1 FROM placed
      )
      INSERT INTO ${revocations} (position, session_id, revoked_at) SELECT position, id, $1 FROM placed
      RETURNING session_id, ${notify}, ${DURABLY}`;
  }
}

/** $1 the bound, $2 limit. A row for each. One that gets a later time meanwhile stays. */
function deleteBefore(table: string, key: string, time: string, answer: string): string {
  return `DELETE FROM ${table}
    WHERE ${key} IN (SELECT ${key} FROM ${table} WHERE ${time} < $1 LIMIT $2) AND ${time} < $1
    RETURNING ${answer}`;
}

/** The name tells the texts of different schemas and versions apart: they may share a connection of the caller's pool. */
function preparedBy<Step extends string>(texts: Readonly<Record<Step, string>>) {
  const statements = Object.entries<string>(texts).map(([step, text]) => {
    const hash = createHash("sha1").update(text).digest("hex").slice(0, 8);
    return [step, { name: `wallet_session_${step}_${hash}`, text }];
  });
  return Object.fromEntries(statements) as Readonly<Record<Step, Statement>>;
}
