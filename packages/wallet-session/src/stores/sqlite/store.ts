import type { DatabaseSync, StatementSync } from "node:sqlite";
import { whenFree } from "../../databases/sqlite.ts";
import type {
  ConsumedChallenge,
  CreateOutcome,
  EventClaim,
  PruneCounts,
  PruneLimits,
  Revocation,
  RevocationPage,
  RotateOutcome,
  RotationSwap,
  SealedSigningKey,
  SecurityEventRecord,
  SessionId,
  SessionRecord,
  SessionStore,
  SettledEvents,
} from "../../store.ts";
import { GENERATION_MAX } from "../../store.ts";
import { encodeSessionId } from "../session-id.ts";
import {
  copyBytes,
  copySwap,
  decodeRevocation,
  decodeSigningKey,
  integer,
  SESSION_COLUMNS,
} from "../sql/rows.ts";
import { GroupCommit } from "./group-commit.ts";
import { decodeSession, encodeGeneration, encodeSession } from "./rows.ts";
import { SqliteSteps } from "./steps.ts";

/**
 * The store contract on one open connection. Writes go through the group commit; reads run at once, between two groups,
 * and so see exactly what is committed. Takes over the connection: `close` closes it.
 */
export class SqliteStore implements SessionStore {
  readonly #database: DatabaseSync;
  readonly #commits: GroupCommit;
  readonly #steps: SqliteSteps;
  readonly #selectSession: StatementSync;
  readonly #selectLive: StatementSync;
  readonly #selectEndedByReuse: StatementSync;
  readonly #selectRevocations: StatementSync;
  readonly #selectLogEnd: StatementSync;
  readonly #countSessions: StatementSync;
  readonly #selectKeys: StatementSync;
  readonly #selectOne: StatementSync;
  #closing: Promise<void> | null = null;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#commits = new GroupCommit(database);
    this.#steps = new SqliteSteps(database);
    this.#selectSession = database.prepare(`SELECT ${SESSION_COLUMNS} FROM sessions WHERE id = ?`);
    this.#selectLive = database.prepare(
      `SELECT ${SESSION_COLUMNS} FROM sessions
       WHERE actor_id = ?1 AND revoked_at IS NULL AND idle_expires_at > ?2 AND expires_at > ?2
       ORDER BY created_at DESC LIMIT ?3`,
    );
    this.#selectEndedByReuse = database.prepare(
      `SELECT ${SESSION_COLUMNS} FROM sessions
       WHERE actor_id = ? AND revoked_reason = 'reuse' AND revoked_at > ?
       ORDER BY revoked_at DESC LIMIT ?`,
    );
    this.#selectRevocations = database.prepare(
      "SELECT position, session_id, revoked_at FROM revocations WHERE position > ? ORDER BY position LIMIT ?",
    );
    this.#selectLogEnd = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'revocations'");
    this.#countSessions = database.prepare(
      "SELECT count(*) AS count FROM sessions WHERE revoked_at IS NULL AND expires_at > ?",
    );
    this.#selectKeys = database.prepare("SELECT * FROM signing_keys ORDER BY position");
    this.#selectOne = database.prepare("SELECT 1 FROM sessions LIMIT 1");
  }

  async createSession(session: SessionRecord, challenge: ConsumedChallenge): Promise<CreateOutcome> {
    this.#assertOpen();
    const input = { session: encodeSession(session), challenge: { ...challenge } };
    return this.#commits.submit(this.#steps.createSession, input);
  }

  /** Not async: the promise of the group is the caller's own, since each further one costs the hot path. */
  rotate(swap: RotationSwap): Promise<RotateOutcome> {
    const id = encodeSessionId(swap.id);
    if (this.#closing !== null || id === null || !canRotate(swap.generation)) return this.#unswapped(swap.id);
    return this.#commits.submit(this.#steps.rotate, {
      swap: copySwap(swap),
      id,
      generation: encodeGeneration(swap.generation),
      nextGeneration: encodeGeneration(swap.generation + 1),
    });
  }

  async findSession(id: SessionId): Promise<SessionRecord | null> {
    this.#assertOpen();
    const bytes = encodeSessionId(id);
    if (bytes === null) return null;
    const row = await whenFree(() => this.#selectSession.get(bytes));
    return row === undefined ? null : decodeSession(row);
  }

  async listSessions(actorId: string, now: number, limit: number): Promise<SessionRecord[]> {
    this.#assertOpen();
    const rows = await whenFree(() => this.#selectLive.all(actorId, now, limit));
    return rows.map(decodeSession);
  }

  async endedByReuse(actorId: string, since: number, limit: number): Promise<SessionRecord[]> {
    this.#assertOpen();
    const rows = await whenFree(() => this.#selectEndedByReuse.all(actorId, since, limit));
    return rows.map(decodeSession);
  }

  async revokeSession(id: SessionId, revocation: Revocation): Promise<boolean> {
    this.#assertOpen();
    const bytes = encodeSessionId(id);
    if (bytes === null) return false;
    return this.#commits.submit(this.#steps.revokeSession, { id: bytes, revocation: { ...revocation } });
  }

  async revokeActor(actorId: string, revocation: Revocation, except: SessionId | null): Promise<SessionId[]> {
    this.#assertOpen();
    return this.#commits.submit(this.#steps.revokeActor, {
      actorId,
      revocation: { ...revocation },
      except: except === null ? null : encodeSessionId(except),
    });
  }

  async revokeBatch(revocation: Revocation, limit: number): Promise<SessionId[]> {
    this.#assertOpen();
    return this.#commits.submit(this.#steps.revokeBatch, { revocation: { ...revocation }, limit });
  }

  async revocationsAfter(position: number, limit: number): Promise<RevocationPage> {
    this.#assertOpen();
    // One process at a time writes to the file, so positions become visible in their order: no re-reading.
    const rows = await whenFree(() => this.#selectRevocations.all(position, limit));
    // After the entries: another process may append in between, so this is never before the last of them.
    const end = await whenFree(() => this.#selectLogEnd.get());
    const entries = rows.map(decodeRevocation);
    return {
      entries,
      position: entries.at(-1)?.position ?? position,
      end: end === undefined ? 0 : integer(end.seq),
    };
  }

  /** SQLite tells nobody of what another process wrote; to look is cheap. */
  watchRevocations(): () => void {
    return () => {};
  }

  async countSessions(now: number): Promise<number> {
    this.#assertOpen();
    const row = await whenFree(() => this.#countSessions.get(now));
    return integer(row?.count);
  }

  async claimEvents(claim: EventClaim): Promise<SecurityEventRecord[] | null> {
    this.#assertOpen();
    return this.#commits.submit(this.#steps.claimEvents, { ...claim });
  }

  async settleEvents(settled: SettledEvents): Promise<boolean> {
    this.#assertOpen();
    return this.#commits.submit(this.#steps.settleEvents, { ...settled });
  }

  async signingKeys(): Promise<SealedSigningKey[]> {
    this.#assertOpen();
    const rows = await whenFree(() => this.#selectKeys.all());
    return rows.map(decodeSigningKey);
  }

  async addSigningKey(key: SealedSigningKey, newestKid: string | null): Promise<boolean> {
    this.#assertOpen();
    return this.#commits.submit(this.#steps.addSigningKey, [
      key.kid,
      copyBytes(key.publicKey),
      copyBytes(key.sealed),
      key.createdAt,
      key.signsFrom,
      newestKid,
    ]);
  }

  /** In rounds, each atomic by itself, so that no group waits for more than `limit` sessions to be looked at. */
  async prune(limits: PruneLimits): Promise<PruneCounts> {
    this.#assertOpen();
    const others = { ...limits };
    const [challenges, revocations, events, sessions] = await Promise.all([
      this.#commits.submit(this.#steps.pruneChallenges, others),
      this.#commits.submit(this.#steps.pruneRevocations, others),
      this.#commits.submit(this.#steps.pruneEvents, others),
      this.#pruneSessions(limits.sessionsBefore, limits.limit),
    ]);
    return { sessions, challenges, revocations, events };
  }

  async ping(): Promise<void> {
    this.#assertOpen();
    await whenFree(() => this.#selectOne.get());
  }

  close(): Promise<void> {
    this.#closing ??= this.#commits.drain().then(() => this.#database.close());
    return this.#closing;
  }

  /** For what no row can match. */
  async #unswapped(id: SessionId): Promise<RotateOutcome> {
    const session = await this.findSession(id);
    return session === null ? { outcome: "unknown" } : { outcome: "unmatched", session };
  }

  async #pruneSessions(before: number, limit: number): Promise<number> {
    let deleted = 0;
    while (deleted < limit) {
      const most = limit - deleted;
      const round = await this.#commits.submit(this.#steps.pruneSessions, { before, limit: most });
      deleted += round.deleted;
      if (round.examined < most) break;
    }
    return deleted;
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw new Error("The store is closed.");
  }
}

function canRotate(generation: number): boolean {
  return Number.isInteger(generation) && generation > 0 && generation < GENERATION_MAX;
}
