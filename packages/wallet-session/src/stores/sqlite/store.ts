import type { DatabaseSync, StatementSync } from "node:sqlite";
import { whenFree } from "../../databases/sqlite.ts";
import type * as contract from "../../store.ts";
import { GENERATION_MAX } from "../../store.ts";
import { encodeSessionId } from "../session-id.ts";
import * as sql from "../sql/rows.ts";
import { inRounds, type Round } from "../steps.ts";
import { blob, integer, text } from "../values.ts";
import { createSavepoint, GroupCommit, type Savepoint } from "./group-commit.ts";
import { decodeSession, encodeGeneration, encodeSession } from "./rows.ts";
import { prepareStatements, type Statements } from "./statements.ts";

/**
 * The store contract on one open connection. Writes go through the group commit; reads run at once, between two groups,
 * and so see exactly what is committed. Takes over the connection: `close` closes it.
 */
export class SqliteStore implements contract.SessionStore {
  readonly #database: DatabaseSync;
  readonly #commits: GroupCommit;
  readonly #savepoint: Savepoint;
  readonly #statements: Statements;
  #closing: Promise<void> | null = null;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#commits = new GroupCommit(database);
    this.#savepoint = createSavepoint(database);
    this.#statements = prepareStatements(database);
  }

  async createSession(
    session: contract.SessionRecord,
    { id, expiresAt }: contract.ConsumedChallenge,
  ): Promise<contract.CreateOutcome> {
    const values = encodeSession(session);
    return this.#writeAll(() => {
      const { consumeChallenge, insertSession } = this.#statements;
      if (consumeChallenge.run(id, expiresAt).changes === 0) return { outcome: "challenge_used" };
      insertSession.run(...values);
      return { outcome: "created" };
    });
  }

  /** Not async: the promise of the group is the caller's own, since each further one costs the hot path. */
  rotate(swap: contract.RotationSwap): Promise<contract.RotateOutcome> {
    const id = encodeSessionId(swap.id);
    if (this.#closing !== null || id === null || !canRotate(swap.generation)) return this.#unswapped(swap.id);
    const copy = sql.copySwap(swap);
    return this.#commits.submit(() => this.#swap(id, copy));
  }

  async findSession(id: contract.SessionId): Promise<contract.SessionRecord | null> {
    const bytes = encodeSessionId(id);
    return this.#read(({ findSession }) => {
      const row = bytes === null ? undefined : findSession.get(bytes);
      return row === undefined ? null : decodeSession(row);
    });
  }

  async listSessions(actorId: string, now: number, limit: number): Promise<contract.SessionRecord[]> {
    return this.#read(({ listSessions }) => listSessions.all(actorId, now, limit).map(decodeSession));
  }

  async endedByReuse(actorId: string, since: number, limit: number): Promise<contract.SessionRecord[]> {
    return this.#read(({ endedByReuse }) => endedByReuse.all(actorId, since, limit).map(decodeSession));
  }

  async revokeSession(id: contract.SessionId, revocation: contract.Revocation): Promise<boolean> {
    const bytes = encodeSessionId(id);
    return (await this.#revoke("revokeSession", revocation, [bytes])).length === 1;
  }

  async revokeActor(
    actorId: string,
    revocation: contract.Revocation,
    except: contract.SessionId | null,
  ): Promise<contract.SessionId[]> {
    const stays = except === null ? null : encodeSessionId(except);
    return this.#revoke("revokeActor", revocation, [actorId, stays]);
  }

  async revokeBatch(revocation: contract.Revocation, limit: number): Promise<contract.SessionId[]> {
    return this.#revoke("revokeBatch", revocation, [limit]);
  }

  async revocationsAfter(position: number, limit: number): Promise<contract.RevocationPage> {
    // One process at a time writes to the file, so positions become visible in their order: no re-reading.
    const rows = await this.#read(({ revocationsAfter }) => revocationsAfter.all(position, limit));
    // After the entries: another process may append in between, so this is never before the last of them.
    const end = await whenFree(() => this.#statements.logEnd.get());
    return sql.decodePage(rows, position, end === undefined ? 0 : end.seq);
  }

  /** SQLite tells nobody of what another process wrote; to look is cheap. */
  watchRevocations(): () => void {
    return () => {};
  }

  async countSessions(now: number): Promise<number> {
    return this.#read(({ countSessions }) => integer(countSessions.get(now)?.count));
  }

  async claimEvents({ owner, now, until, limit }: contract.EventClaim) {
    return this.#write(() => {
      const { takeClaim, oldestEvents } = this.#statements;
      if (takeClaim.run(owner, until, now).changes === 0) return null;
      return oldestEvents.all(limit).map(sql.decodeEvent);
    });
  }

  async settleEvents({ owner, position, release }: contract.SettledEvents): Promise<boolean> {
    return this.#writeAll(() => {
      const { findClaim, deleteEventsUpTo, releaseClaim } = this.#statements;
      if (findClaim.get(owner) === undefined) return false;
      deleteEventsUpTo.run(position);
      if (release) releaseClaim.run();
      return true;
    });
  }

  async signingKeys(): Promise<contract.SealedSigningKey[]> {
    return this.#read(({ signingKeys }) => signingKeys.all().map(sql.decodeSigningKey));
  }

  async addSigningKey(key: contract.SealedSigningKey, newestKid: string | null): Promise<boolean> {
    const values = [...sql.encodeSigningKey(key), newestKid];
    return this.#write(() => this.#statements.addSigningKey.run(...values).changes === 1);
  }

  /** In rounds, each atomic by itself, so that no group waits for more than `limit` sessions to be looked at. */
  async prune(limits: contract.PruneLimits): Promise<contract.PruneCounts> {
    const { now, sessionsBefore, revocationsBefore, eventsBefore, limit } = limits;
    const { pruneChallenges, pruneRevocations, pruneEvents } = this.#statements;
    const prune = (statement: StatementSync, before: number) =>
      this.#write(() => Number(statement.run(before, limit).changes));
    const [challenges, revocations, events, sessions] = await Promise.all([
      prune(pruneChallenges, now),
      prune(pruneRevocations, revocationsBefore),
      prune(pruneEvents, eventsBefore),
      inRounds(limit, (most) => this.#writeAll(() => this.#pruneSessions(sessionsBefore, most))),
    ]);
    return { sessions, challenges, revocations, events };
  }

  async ping(): Promise<void> {
    await this.#read(({ ping }) => ping.get());
  }

  close(): Promise<void> {
    this.#closing ??= this.#commits.drain().then(() => this.#database.close());
    return this.#closing;
  }

  #swap(id: Uint8Array, swap: contract.RotationSwap): contract.RotateOutcome {
    const rest = this.#statements.swap.get(
      encodeGeneration(swap.generation + 1),
      swap.nextSecretHash,
      swap.nextSalt,
      swap.retryKeyHash,
      swap.now,
      swap.idleExpiresAt,
      id,
      swap.transport,
      encodeGeneration(swap.generation),
      swap.secretHash,
    );
    if (rest !== undefined) return { outcome: "rotated", session: sql.rotatedSession(swap, rest) };
    const row = this.#statements.findSession.get(id);
    return row === undefined ? { outcome: "unknown" } : { outcome: "unmatched", session: decodeSession(row) };
  }

  /** For what no row can match. */
  async #unswapped(id: contract.SessionId): Promise<contract.RotateOutcome> {
    const session = await this.findSession(id);
    return session === null ? { outcome: "unknown" } : { outcome: "unmatched", session };
  }

  /** Marks the sessions, appends to the log and to the security events. Their ids. */
  #revoke(
    which: "revokeSession" | "revokeActor" | "revokeBatch",
    { reason, revokedAt }: contract.Revocation,
    values: readonly sql.SqlValue[],
  ): Promise<contract.SessionId[]> {
    return this.#writeAll(() => {
      const rows = this.#statements[which].all(revokedAt, reason, ...values);
      return rows.map((row) => {
        const id = blob(row.id);
        const position = this.#statements.log.run(id, revokedAt).lastInsertRowid;
        this.#statements.insertEvent.run(position, id, text(row.actor_id), reason, revokedAt);
        return sql.sessionId(id);
      });
    });
  }

  /** Deletes the ended ones of the next `limit` sessions that are due for a look, and puts the others off to their end. */
  #pruneSessions(before: number, limit: number): Round {
    const due = this.#statements.dueSessions.all(before, limit);
    let deleted = 0;
    for (const row of due) {
      const endsAt = integer(row.ends_at);
      if (endsAt < before) {
        this.#statements.deleteSession.run(blob(row.id));
        deleted += 1;
      } else this.#statements.examineLater.run(endsAt, blob(row.id));
    }
    return { examined: due.length, deleted };
  }

  async #read<Output>(read: (statements: Statements) => Output): Promise<Output> {
    this.#assertOpen();
    return whenFree(() => read(this.#statements));
  }

  async #write<Output>(statement: () => Output): Promise<Output> {
    this.#assertOpen();
    return this.#commits.submit(statement);
  }

  /** Several statements, of which all happen or none does. */
  #writeAll<Output>(statements: () => Output): Promise<Output> {
    return this.#write(() => this.#savepoint(statements));
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw new Error("The store is closed.");
  }
}

function canRotate(generation: number): boolean {
  return Number.isInteger(generation) && generation > 0 && generation < GENERATION_MAX;
}
