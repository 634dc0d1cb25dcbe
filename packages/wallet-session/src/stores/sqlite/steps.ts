import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type {
  ConsumedChallenge,
  CreateOutcome,
  EventClaim,
  PruneLimits,
  Revocation,
  RotateOutcome,
  RotationSwap,
  SecurityEventRecord,
  SessionId,
  SettledEvents,
} from "../../store.ts";
import { decodeSessionId } from "../session-id.ts";
import { blob, decodeEvent, integer, type Row, rotatedSession, SESSION_COLUMNS, text } from "../sql/rows.ts";
import { decodeSession } from "./rows.ts";
import { type Atomically, createSavepoint } from "./savepoint.ts";

/** A rotation, and its numbers as the database holds them. */
export interface RotateInput {
  readonly swap: RotationSwap;
  readonly id: Uint8Array;
  readonly generation: Uint8Array;
  readonly nextGeneration: Uint8Array;
}

/**
 * The steps of the contract that write, as synchronous functions to be run inside a transaction (`GroupCommit`).
 * Each is atomic by itself. Arrow functions, so that they can be handed over without a closure per call.
 */
export class SqliteSteps {
  readonly #atomically: Atomically;
  readonly #insertChallenge: StatementSync;
  readonly #insertSession: StatementSync;
  readonly #swap: StatementSync;
  readonly #selectSession: StatementSync;
  readonly #revoke: StatementSync;
  readonly #revokeActor: StatementSync;
  readonly #revokeBatch: StatementSync;
  readonly #log: StatementSync;
  readonly #insertEvent: StatementSync;
  readonly #takeClaim: StatementSync;
  readonly #releaseClaim: StatementSync;
  readonly #selectClaim: StatementSync;
  readonly #selectEvents: StatementSync;
  readonly #deleteEventsUpTo: StatementSync;
  readonly #insertKey: StatementSync;
  readonly #selectExaminable: StatementSync;
  readonly #deleteSession: StatementSync;
  readonly #examineLater: StatementSync;
  readonly #deleteChallenges: StatementSync;
  readonly #deleteRevocations: StatementSync;
  readonly #deleteEvents: StatementSync;

  constructor(database: DatabaseSync) {
    this.#atomically = createSavepoint(database);
    this.#insertChallenge = database.prepare(
      "INSERT INTO consumed_challenges (id, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
    );
    this.#insertSession = database.prepare(
      `INSERT INTO sessions (${SESSION_COLUMNS}, examine_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?10, ?11, ?, ?, ?, ?, min(?10, ?11))`,
    );
    this.#swap = database.prepare(
      `UPDATE sessions SET generation = ?, secret_hash = ?, salt = ?, retry_key_hash = ?,
         rotated_at = ?5, idle_expires_at = min(?, expires_at)
       WHERE id = ? AND transport = ? AND generation = ? AND secret_hash = ?
         AND revoked_at IS NULL AND idle_expires_at > ?5 AND expires_at > ?5
       RETURNING actor_id, created_at, expires_at, binding, client`,
    );
    this.#selectSession = database.prepare(`SELECT ${SESSION_COLUMNS} FROM sessions WHERE id = ?`);
    this.#revoke = database.prepare(
      `UPDATE sessions SET revoked_at = ?, revoked_reason = ? WHERE id = ? AND revoked_at IS NULL
       RETURNING id, actor_id`,
    );
    this.#revokeActor = database.prepare(
      `UPDATE sessions SET revoked_at = ?1, revoked_reason = ?2
       WHERE actor_id = ?3 AND id IS NOT ?4
         AND revoked_at IS NULL AND idle_expires_at > ?1 AND expires_at > ?1
       RETURNING id, actor_id`,
    );
    this.#revokeBatch = database.prepare(
      `UPDATE sessions SET revoked_at = ?1, revoked_reason = ?2
       WHERE id IN (SELECT id FROM sessions WHERE revoked_at IS NULL AND expires_at > ?1 ORDER BY expires_at LIMIT ?3)
       RETURNING id, actor_id`,
    );
    this.#log = database.prepare("INSERT INTO revocations (session_id, revoked_at) VALUES (?, ?)");
    this.#insertEvent = database.prepare(
      "INSERT INTO security_events (position, session_id, actor_id, reason, revoked_at) VALUES (?, ?, ?, ?, ?)",
    );
    this.#takeClaim = database.prepare(
      `UPDATE security_event_lease SET owner = ?1, until = ?2
       WHERE owner IS NULL OR owner = ?1 OR until <= ?3`,
    );
    this.#selectClaim = database.prepare("SELECT 1 FROM security_event_lease WHERE owner = ?");
    this.#releaseClaim = database.prepare("UPDATE security_event_lease SET owner = NULL");
    this.#selectEvents = database.prepare(
      `SELECT position, session_id, actor_id, reason, revoked_at FROM security_events
       ORDER BY position LIMIT ?`,
    );
    this.#deleteEventsUpTo = database.prepare("DELETE FROM security_events WHERE position <= ?");
    this.#insertKey = database.prepare(
      `INSERT INTO signing_keys (kid, public_key, sealed, created_at, signs_from)
       SELECT ?, ?, ?, ?, ? WHERE (SELECT kid FROM signing_keys ORDER BY position DESC LIMIT 1) IS ?`,
    );
    this.#selectExaminable = database.prepare(
      `SELECT id, min(idle_expires_at, expires_at) AS ends_at FROM sessions
       WHERE examine_at < ? ORDER BY examine_at LIMIT ?`,
    );
    this.#deleteSession = database.prepare("DELETE FROM sessions WHERE id = ?");
    this.#examineLater = database.prepare("UPDATE sessions SET examine_at = ? WHERE id = ?");
    this.#deleteChallenges = database.prepare(
      `DELETE FROM consumed_challenges WHERE id IN
         (SELECT id FROM consumed_challenges WHERE expires_at < ? LIMIT ?)`,
    );
    this.#deleteRevocations = database.prepare(
      `DELETE FROM revocations WHERE position IN
         (SELECT position FROM revocations WHERE revoked_at < ? LIMIT ?)`,
    );
    this.#deleteEvents = database.prepare(
      `DELETE FROM security_events WHERE position IN
         (SELECT position FROM security_events WHERE revoked_at < ? LIMIT ?)`,
    );
  }

  readonly createSession = (input: {
    readonly session: readonly SQLInputValue[];
    readonly challenge: ConsumedChallenge;
  }): CreateOutcome =>
    this.#atomically(() => {
      const { id, expiresAt } = input.challenge;
      if (this.#insertChallenge.run(id, expiresAt).changes === 0) return { outcome: "challenge_used" };
      this.#insertSession.run(...input.session);
      return { outcome: "created" };
    });

  readonly rotate = ({ swap, id, generation, nextGeneration }: RotateInput): RotateOutcome => {
    const rest = this.#swap.get(
      nextGeneration,
      swap.nextSecretHash,
      swap.nextSalt,
      swap.retryKeyHash,
      swap.now,
      swap.idleExpiresAt,
      id,
      swap.transport,
      generation,
      swap.secretHash,
    );
    if (rest !== undefined) return { outcome: "rotated", session: rotatedSession(swap, rest) };
    const row = this.#selectSession.get(id);
    if (row === undefined) return { outcome: "unknown" };
    return { outcome: "unmatched", session: decodeSession(row) };
  };

  readonly revokeSession = (input: { readonly id: Uint8Array; readonly revocation: Revocation }): boolean =>
    this.#atomically(() => {
      const { reason, revokedAt } = input.revocation;
      return this.#logged(this.#revoke.all(revokedAt, reason, input.id), input.revocation).length === 1;
    });

  readonly revokeActor = (input: {
    readonly actorId: string;
    readonly revocation: Revocation;
    readonly except: Uint8Array | null;
  }): SessionId[] =>
    this.#atomically(() => {
      const { reason, revokedAt } = input.revocation;
      const rows = this.#revokeActor.all(revokedAt, reason, input.actorId, input.except);
      return this.#logged(rows, input.revocation);
    });

  readonly revokeBatch = (input: { readonly revocation: Revocation; readonly limit: number }): SessionId[] =>
    this.#atomically(() => {
      const { reason, revokedAt } = input.revocation;
      return this.#logged(this.#revokeBatch.all(revokedAt, reason, input.limit), input.revocation);
    });

  readonly claimEvents = ({ owner, now, until, limit }: EventClaim): SecurityEventRecord[] | null => {
    if (this.#takeClaim.run(owner, until, now).changes === 0) return null;
    return this.#selectEvents.all(limit).map(decodeEvent);
  };

  readonly settleEvents = ({ owner, position, release }: SettledEvents): boolean =>
    this.#atomically(() => {
      if (this.#selectClaim.get(owner) === undefined) return false;
      this.#deleteEventsUpTo.run(position);
      if (release) this.#releaseClaim.run();
      return true;
    });

  /** In the order of the statement's columns; last, the kid that must still be the newest. */
  readonly addSigningKey = (values: readonly SQLInputValue[]): boolean =>
    this.#insertKey.run(...values).changes === 1;

  /** Deletes the ended ones of the next `limit` sessions that are due for a look, and puts the others off to their end. */
  readonly pruneSessions = (input: {
    readonly before: number;
    readonly limit: number;
  }): { readonly examined: number; readonly deleted: number } =>
    this.#atomically(() => {
      const due = this.#selectExaminable.all(input.before, input.limit);
      let deleted = 0;
      for (const row of due) {
        const endsAt = integer(row.ends_at);
        if (endsAt < input.before) {
          this.#deleteSession.run(blob(row.id));
          deleted += 1;
        } else this.#examineLater.run(endsAt, blob(row.id));
      }
      return { examined: due.length, deleted };
    });

  readonly pruneChallenges = (input: PruneLimits): number =>
    Number(this.#deleteChallenges.run(input.now, input.limit).changes);

  readonly pruneRevocations = (input: PruneLimits): number =>
    Number(this.#deleteRevocations.run(input.revocationsBefore, input.limit).changes);

  readonly pruneEvents = (input: PruneLimits): number =>
    Number(this.#deleteEvents.run(input.eventsBefore, input.limit).changes);

  /** Writes the log and the security events of sessions just revoked; their ids. */
  #logged(rows: readonly Row[], { reason, revokedAt }: Revocation): SessionId[] {
    return rows.map((row) => {
      const id = blob(row.id);
      const position = this.#log.run(id, revokedAt).lastInsertRowid;
      this.#insertEvent.run(position, id, text(row.actor_id), reason, revokedAt);
      return decodeSessionId(id);
    });
  }
}
