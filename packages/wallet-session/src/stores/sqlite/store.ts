import type { DatabaseSync, StatementSync } from "node:sqlite";
import { whenFree } from "../../databases/sqlite.ts";
import type * as contract from "../../store.ts";
import { GENERATION_MAX } from "../../store.ts";
import { encodeNewSessionId, encodeSessionId, encodeSessionIds } from "../session-id.ts";
import * as sql from "../sql/rows.ts";
import { inRounds, type Round } from "../steps.ts";
import { blob, integer, text } from "../values.ts";
import { createGroupCommit, createSavepoint } from "./group-commit.ts";
import { decodeSession, encodeGeneration, encodeSession } from "./rows.ts";
import { prepareStatements } from "./statements.ts";

/**
 * The store contract on one open connection. Writes go through the group commit; reads run at once, between two groups,
 * and so see exactly what is committed. Takes over the connection: `close` closes it.
 */
export function createSqliteStore(database: DatabaseSync): contract.SessionStore {
  const commits = createGroupCommit(database);
  const savepoint = createSavepoint(database);
  const statements = prepareStatements(database);
  let closing: Promise<void> | null = null;

  function assertOpen(): void {
    if (closing !== null) throw new Error("The store is closed.");
  }

  async function read<Output>(reading: () => Output): Promise<Output> {
    assertOpen();
    return whenFree(reading);
  }

  async function write<Output>(statement: () => Output): Promise<Output> {
    assertOpen();
    return commits.submit(statement);
  }

  /** Several statements, of which all happen or none does. */
  function writeAll<Output>(several: () => Output): Promise<Output> {
    return write(() => savepoint(several));
  }

  function find(id: Uint8Array | null): contract.SessionRecord | null {
    const row = id === null ? undefined : statements.findSession.get(id);
    return row === undefined ? null : decodeSession(row);
  }

  function swapRow(id: Uint8Array, swap: contract.RotationSwap): contract.RotateOutcome {
    const rest = statements.swap.get(
      encodeGeneration(swap.generation + 1),
      swap.nextSecretHash,
      swap.nextSalt,
      swap.retryKeyHash,
      swap.now,
      swap.idleExpiresAt,
      swap.nextBinding,
      id,
      swap.transport,
      encodeGeneration(swap.generation),
      swap.secretHash,
      swap.binding,
    );
    if (rest !== undefined) return { outcome: "rotated", session: sql.rotatedSession(swap, rest) };
    return unswapped(find(id));
  }

  /** Marks the sessions, appends to the log and to the security events. Their ids. */
  function revoke(
    which: "revokeSession" | "revokeActor" | "revokeBatch",
    { reason, revokedAt }: contract.Revocation,
    ...values: readonly sql.SqlValue[]
  ): Promise<contract.SessionId[]> {
    return writeAll(() => {
      const rows = statements[which].all(revokedAt, reason, ...values);
      return rows.map((row) => {
        const id = blob(row.id);
        const position = statements.log.run(id, revokedAt).lastInsertRowid;
        statements.insertEvent.run(position, id, text(row.actor_id), reason, revokedAt);
        return sql.sessionId(id);
      });
    });
  }

  /** Deletes the ended ones of the next `limit` sessions that are due for a look, and puts the others off to their end. */
  function pruneSessions(before: number, limit: number): Round {
    const due = statements.dueSessions.all(before, limit);
    let deleted = 0;
    for (const row of due) {
      const endsAt = integer(row.ends_at);
      if (endsAt < before) {
        statements.deleteSession.run(blob(row.id));
        deleted += 1;
      } else statements.examineLater.run(endsAt, blob(row.id));
    }
    return { examined: due.length, deleted };
  }

  return {
    async createSession(session, { id, expiresAt }) {
      const values = encodeSession(session);
      return writeAll(() => {
        if (statements.consumeChallenge.run(id, expiresAt).changes === 0)
          return { outcome: "challenge_used" };
        statements.insertSession.run(...values);
        return { outcome: "created" };
      });
    },

    async consumeChallenge({ id, expiresAt }) {
      return write(() => statements.consumeChallenge.run(id, expiresAt).changes === 1);
    },

    /** Not async: the promise of the group is the caller's own, since each further one costs the hot path. */
    rotate(swap) {
      const id = encodeSessionId(swap.id);
      // For what no row can match.
      if (closing !== null || id === null || !canRotate(swap.generation))
        return read(() => unswapped(find(id)));
      const copy = sql.copySwap(swap);
      return commits.submit(() => swapRow(id, copy));
    },

    async findSession(id) {
      const bytes = encodeSessionId(id);
      return read(() => find(bytes));
    },

    async listSessions(actorId, now, limit) {
      return read(() => statements.listSessions.all(actorId, now, limit).map(decodeSession));
    },

    async endedByReuse(actorId, since, limit) {
      return read(() => statements.endedByReuse.all(actorId, since, limit).map(decodeSession));
    },

    async revokeSession(id, revocation) {
      return (await revoke("revokeSession", revocation, encodeSessionId(id))).length === 1;
    },

    async revokeActor(actorId, revocation, except) {
      return revoke("revokeActor", revocation, actorId, except === null ? null : encodeSessionId(except));
    },

    async revokeBatch(revocation, limit) {
      return revoke("revokeBatch", revocation, limit);
    },

    async noteProofFailure({ sessionId, actorId, at, since }) {
      const id = encodeNewSessionId(sessionId);
      return writeAll(() => {
        if (statements.noteProofFailure.run(id, at, since).changes === 0) return false;
        const position = statements.log.run(id, at).lastInsertRowid;
        statements.unlog.run(position);
        statements.insertEvent.run(position, id, actorId, "proof_failed", at);
        return true;
      });
    },

    async proofFailures(ids) {
      const encoded = encodeSessionIds(ids).map((id) => Buffer.from(id).toString("hex"));
      return read(() => sql.decodeProofFailures(statements.proofFailures.all(JSON.stringify(encoded))));
    },

    async revocationsAfter(position, limit) {
      // One process at a time writes to the file, so positions become visible in their order: no re-reading.
      const rows = await read(() => statements.revocationsAfter.all(position, limit));
      // After the entries: another process may append in between, so this is never before the last of them.
      const end = await whenFree(() => statements.logEnd.get());
      return sql.decodePage(rows, position, end === undefined ? 0 : end.seq);
    },

    /** SQLite tells nobody of what another process wrote; to look is cheap. */
    watchRevocations() {
      return () => {};
    },

    async countSessions(now) {
      return read(() => integer(statements.countSessions.get(now)?.count));
    },

    async claimEvents({ owner, now, until, limit }) {
      return write(() => {
        if (statements.takeClaim.run(owner, until, now).changes === 0) return null;
        return statements.oldestEvents.all(limit).map(sql.decodeEvent);
      });
    },

    async settleEvents({ owner, position, release }) {
      return writeAll(() => {
        if (statements.findClaim.get(owner) === undefined) return false;
        statements.deleteEventsUpTo.run(position);
        if (release) statements.releaseClaim.run();
        return true;
      });
    },

    async signingKeys() {
      return read(() => statements.signingKeys.all().map(sql.decodeSigningKey));
    },

    async addSigningKey(key, newestKid) {
      const values = [...sql.encodeSigningKey(key), newestKid];
      return write(() => statements.addSigningKey.run(...values).changes === 1);
    },

    /** In rounds, each atomic by itself, so that no group waits for more than `limit` sessions to be looked at. */
    async prune({ now, sessionsBefore, revocationsBefore, eventsBefore, limit }) {
      const prune = (statement: StatementSync, before: number) =>
        write(() => Number(statement.run(before, limit).changes));
      const [challenges, revocations, events, , sessions] = await Promise.all([
        prune(statements.pruneChallenges, now),
        prune(statements.pruneRevocations, revocationsBefore),
        prune(statements.pruneEvents, eventsBefore),
        prune(statements.pruneProofFailures, eventsBefore),
        inRounds(limit, (most) => writeAll(() => pruneSessions(sessionsBefore, most))),
      ]);
      return { sessions, challenges, revocations, events };
    },

    async ping() {
      await write(() => {
        statements.readable.get();
        statements.writable.run();
      });
    },

    close() {
      closing ??= commits.drain().then(() => database.close());
      return closing;
    },
  };
}

function unswapped(session: contract.SessionRecord | null): contract.RotateOutcome {
  return session === null ? { outcome: "unknown" } : { outcome: "unmatched", session };
}

function canRotate(generation: number): boolean {
  return Number.isInteger(generation) && generation > 0 && generation < GENERATION_MAX;
}
