import { POSTGRES_COUNTED_ROWS } from "../../limits.ts";
import type * as contract from "../../store.ts";
import { encodeNewSessionId, encodeSessionId, encodeSessionIds } from "../session-id.ts";
import * as sql from "../sql/rows.ts";
import { inRounds, type Round } from "../steps.ts";
import { integer } from "../values.ts";
import { createWakeUps } from "../wake-ups.ts";
import { type Connection, openListener, POSTGRES_TIMES, type PostgresSource } from "./driver.ts";
import { createRunner, type Step } from "./runner.ts";
import { createStatements } from "./steps.ts";

const ID_AFTER_ALL = new Uint8Array(16).fill(255);

/**
 * The store contract on PostgreSQL. Connects with the first step.
 *
 * A write whose connection was lost is sent again where the row tells afterwards whose write it was; else it rejects
 * (docs/decisions/0026).
 * @param prepare done once before the first step: makes the schema fit, or rejects; tried again by the next step
 */
export function createPostgresStore(
  source: PostgresSource,
  schema: string,
  prepare: (connection: Connection) => Promise<void>,
  times = POSTGRES_TIMES,
): contract.SessionStore {
  const runner = createRunner(source, times, prepare);
  const wakeUps = createWakeUps(
    (wakeAll) => openListener(source, schema, wakeAll, times),
    times.listenAgainMs,
  );
  const statements = createStatements(schema);

  async function find(step: Step, id: Uint8Array | null): Promise<contract.SessionRecord | null> {
    if (id === null) return null;
    const [row] = (await step.send(statements.findSession, [id], "again")).rows;
    return row === undefined ? null : decodeSession(row);
  }

  async function rotate(step: Step, swap: contract.RotationSwap): Promise<contract.RotateOutcome> {
    const id = encodeSessionId(swap.id);
    if (id === null) return { outcome: "unknown" };
    const { rows, sentAgain } = await step.send(
      statements.rotate,
      [
        id,
        swap.transport,
        swap.generation,
        swap.secretHash,
        swap.nextSecretHash,
        swap.nextSalt,
        swap.retryKeyHash,
        swap.now,
        swap.idleExpiresAt,
        swap.binding,
        swap.nextBinding,
      ],
      "again",
    );
    const [row] = rows;
    if (row !== undefined) return { outcome: "rotated", session: sql.rotatedSession(swap, row) };
    const session = await find(step, id);
    if (session === null) return { outcome: "unknown" };
    return { outcome: sentAgain && isAfter(session, swap) ? "rotated" : "unmatched", session };
  }

  /**
   * A step of one statement. `reject`: nobody could tell what a second sending wrote from what the first did. Without it the
   * statement reads, does no harm when it is done twice, or adds nothing.
   */
  async function rowsOf(
    name: keyof typeof statements,
    values: unknown[],
    whenLost: "again" | "reject" = "again",
  ): Promise<readonly sql.Row[]> {
    return (await runner.run((step) => step.send(statements[name], values, whenLost))).rows;
  }

  async function idsOf(
    name: "revokeActor" | "revokeBatch",
    values: unknown[],
  ): Promise<contract.SessionId[]> {
    const rows = await rowsOf(name, values, "reject");
    return rows.map((row) => sql.sessionId(row.session_id));
  }

  async function pruneSessions(before: number, limit: number): Promise<Round> {
    const [row = {}] = await rowsOf("pruneSessions", [before, limit]);
    return { examined: integer(row.examined), deleted: integer(row.deleted) };
  }

  return {
    async createSession(session, challenge) {
      const values = [...sql.encodeSession(session, session.generation), challenge.id, challenge.expiresAt];
      const id = encodeSessionId(session.id);
      const secretHash = sql.copyBytes(session.secretHash);
      return runner.run(async (step) => {
        const { rows, sentAgain } = await step.send(statements.createSession, values, "again");
        const row = rows.length === 0 && sentAgain ? await find(step, id) : null;
        const wasOurs = row !== null && Buffer.compare(row.secretHash, secretHash) === 0;
        return { outcome: rows.length === 1 || wasOurs ? "created" : "challenge_used" };
      });
    },

    async consumeChallenge({ id, expiresAt }) {
      return (await rowsOf("consumeChallenge", [id, expiresAt], "reject")).length === 1;
    },

    async rotate(swap) {
      const copy = sql.copySwap(swap);
      return runner.run((step) => rotate(step, copy));
    },

    async findSession(id) {
      return runner.run((step) => find(step, encodeSessionId(id)));
    },

    async listSessions(actorId, now, limit) {
      return (await rowsOf("listSessions", [actorId, now, limit])).map(decodeSession);
    },

    async endedByReuse(actorId, since, limit) {
      return (await rowsOf("endedByReuse", [actorId, since, limit])).map(decodeSession);
    },

    async revokeSession(id, { revokedAt, reason }) {
      const bytes = encodeSessionId(id);
      return runner.run(async (step) => {
        const { rows, sentAgain } = await step.send(
          statements.revokeSession,
          [revokedAt, reason, bytes],
          "again",
        );
        if (rows.length === 1 || !sentAgain) return rows.length === 1;
        const row = await find(step, bytes);
        return row !== null && row.revokedAt === revokedAt && row.revokedReason === reason;
      });
    },

    async revokeActor(actorId, { revokedAt, reason }, except) {
      const stays = except === null ? null : encodeSessionId(except);
      return idsOf("revokeActor", [revokedAt, reason, actorId, stays]);
    },

    async revokeBatch({ revokedAt, reason }, limit) {
      return idsOf("revokeBatch", [revokedAt, reason, limit]);
    },

    async noteProofFailure({ sessionId, actorId, at, since }) {
      const values = [encodeNewSessionId(sessionId), actorId, at, since];
      return (await rowsOf("noteProofFailure", values, "reject")).length === 1;
    },

    async proofFailures(ids) {
      return sql.decodeProofFailures(await rowsOf("proofFailures", [encodeSessionIds(ids)]));
    },

    async revocationsAfter(position, limit) {
      // Positions become visible in their order (migrations.ts): no re-reading.
      const rows = await rowsOf("revocationsAfter", [position, limit]);
      return sql.decodePage(rows.filter(hasPosition), position, rows[0]?.last_position);
    },

    watchRevocations(wake) {
      return runner.isClosed() ? () => {} : wakeUps.watch(wake);
    },

    /** In rounds, by an order in which no session moves: a million is too many for the time of one step. */
    async countSessions(now) {
      let last: unknown[] = [now, ID_AFTER_ALL];
      for (let total = 0; ; ) {
        const [slice] = await rowsOf("countSessions", [...last, POSTGRES_COUNTED_ROWS]);
        if (slice === undefined) return total;
        const count = integer(slice.count);
        total += count;
        if (count < POSTGRES_COUNTED_ROWS) return total;
        last = [slice.expires_at, slice.id];
      }
    },

    async claimEvents({ owner, now, until, limit }) {
      const rows = await rowsOf("claimEvents", [owner, now, until, limit]);
      return rows.length === 0 ? null : rows.filter(hasPosition).map(sql.decodeEvent);
    },

    async settleEvents({ owner, position, release }) {
      return (await rowsOf("settleEvents", [owner, position, release])).length === 1;
    },

    async signingKeys() {
      return (await rowsOf("signingKeys", [])).map(sql.decodeSigningKey);
    },

    async addSigningKey(key, newestKid) {
      const rows = await rowsOf("addSigningKey", [...sql.encodeSigningKey(key), newestKid], "reject");
      return rows.length === 1;
    },

    /** In rounds, each atomic by itself, so that none holds more than `limit` rows. */
    async prune({ now, sessionsBefore, revocationsBefore, eventsBefore, limit }) {
      const [challenges, revocations, events, , sessions] = await Promise.all([
        rowsOf("pruneChallenges", [now, limit]),
        rowsOf("pruneRevocations", [revocationsBefore, limit]),
        rowsOf("pruneEvents", [eventsBefore, limit]),
        rowsOf("pruneProofFailures", [eventsBefore, limit]),
        inRounds(limit, (most) => pruneSessions(sessionsBefore, most)),
      ]);
      return {
        sessions,
        challenges: challenges.length,
        revocations: revocations.length,
        events: events.length,
      };
    },

    async ping() {
      await rowsOf("ping", []);
    },

    close() {
      wakeUps.close();
      return runner.close();
    },
  };
}

function decodeSession(row: sql.Row): contract.SessionRecord {
  return sql.decodeSession(row, integer(row.generation));
}

/** Whether the row is the one that this very swap has left: the salt is 16 fresh random bytes. */
function isAfter(session: contract.SessionRecord, swap: contract.RotationSwap): boolean {
  return (
    session.generation === swap.generation + 1 &&
    session.revokedAt === null &&
    Buffer.compare(session.salt, swap.nextSalt) === 0 &&
    Buffer.compare(session.secretHash, swap.nextSecretHash) === 0
  );
}

function hasPosition(row: sql.Row): boolean {
  return row.position !== null;
}
