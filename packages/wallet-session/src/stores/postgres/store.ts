import { POSTGRES_COUNTED_ROWS } from "../../limits.ts";
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
import { encodeSessionId } from "../session-id.ts";
import * as sql from "../sql/rows.ts";
import { Connections } from "./connections.ts";
import type { Connection, PostgresSource } from "./driver.ts";
import type { StepRunner } from "./runner.ts";
import { createStatements, type Statements } from "./steps.ts";
import { POSTGRES_TIMES } from "./times.ts";
import { WakeUps } from "./wake-ups.ts";

const ID_AFTER_ALL = new Uint8Array(16).fill(255);

/**
 * The store contract on PostgreSQL. Connects with the first step.
 *
 * A write whose connection was lost is sent again where the row tells afterwards whose write it was; else it rejects
 * (docs/decisions/0026).
 */
export class PostgresStore implements SessionStore {
  readonly #connections: Connections;
  readonly #wakeUps: WakeUps;
  readonly #statements: Statements;
  readonly #prepare: (connection: Connection) => Promise<void>;
  readonly #running = new Set<Promise<unknown>>();
  #prepared: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  /** @param prepare done once before the first step: makes the schema fit, or rejects; tried again by the next step */
  constructor(
    source: PostgresSource,
    schema: string,
    prepare: (connection: Connection) => Promise<void>,
    times = POSTGRES_TIMES,
  ) {
    this.#connections = new Connections(source, times);
    this.#wakeUps = new WakeUps(source, schema, times);
    this.#statements = createStatements(schema);
    this.#prepare = prepare;
  }

  async createSession(session: SessionRecord, challenge: ConsumedChallenge): Promise<CreateOutcome> {
    const values = [...sql.encodeSession(session, session.generation), challenge.id, challenge.expiresAt];
    const id = encodeSessionId(session.id);
    const secretHash = sql.copyBytes(session.secretHash);
    return this.#step(async (step) => {
      const { rows, sentAgain } = await step.write(this.#statements.createSession, values);
      const created = rows.length === 1 || (sentAgain && (await this.#isThere(step, id, secretHash)));
      return { outcome: created ? "created" : "challenge_used" };
    });
  }

  async rotate(swap: RotationSwap): Promise<RotateOutcome> {
    const copy = sql.copySwap(swap);
    return this.#step((step) => this.#rotate(step, copy));
  }

  async findSession(id: SessionId): Promise<SessionRecord | null> {
    return this.#step((step) => this.#find(step, encodeSessionId(id)));
  }

  async listSessions(actorId: string, now: number, limit: number): Promise<SessionRecord[]> {
    const rows = await this.#read("listSessions", [actorId, now, limit]);
    return rows.map(decodeSession);
  }

  async endedByReuse(actorId: string, since: number, limit: number): Promise<SessionRecord[]> {
    const rows = await this.#read("endedByReuse", [actorId, since, limit]);
    return rows.map(decodeSession);
  }

  async revokeSession(id: SessionId, revocation: Revocation): Promise<boolean> {
    const bytes = encodeSessionId(id);
    if (bytes === null) return this.#step(async () => false);
    const { revokedAt, reason } = revocation;
    return this.#step(async (step) => {
      const { rows, sentAgain } = await step.write(this.#statements.revokeSession, [
        revokedAt,
        reason,
        bytes,
      ]);
      if (rows.length === 1 || !sentAgain) return rows.length === 1;
      const row = await this.#find(step, bytes);
      return row !== null && row.revokedAt === revokedAt && row.revokedReason === reason;
    });
  }

  async revokeActor(actorId: string, revocation: Revocation, except: SessionId | null): Promise<SessionId[]> {
    const rows = await this.#writeOnce("revokeActor", [
      revocation.revokedAt,
      revocation.reason,
      actorId,
      except === null ? null : encodeSessionId(except),
    ]);
    return rows.map((row) => sql.sessionId(row.session_id));
  }

  async revokeBatch(revocation: Revocation, limit: number): Promise<SessionId[]> {
    const rows = await this.#writeOnce("revokeBatch", [revocation.revokedAt, revocation.reason, limit]);
    return rows.map((row) => sql.sessionId(row.session_id));
  }

  async revocationsAfter(position: number, limit: number): Promise<RevocationPage> {
    // Positions become visible in their order (migrations.ts): no re-reading.
    const rows = await this.#read("revocationsAfter", [position, limit]);
    return sql.decodePage(rows.filter(hasPosition), position, rows[0]?.last_position);
  }

  watchRevocations(wake: () => void): () => void {
    return this.#closing === null ? this.#wakeUps.watch(wake) : () => {};
  }

  /** In rounds, by an order in which no session moves: a million is too many for the time of one step. */
  async countSessions(now: number): Promise<number> {
    let last: unknown[] = [now, ID_AFTER_ALL];
    for (let total = 0; ; ) {
      const [slice] = await this.#read("countSessions", [...last, POSTGRES_COUNTED_ROWS]);
      if (slice === undefined) return total;
      const count = sql.integer(slice.count);
      total += count;
      if (count < POSTGRES_COUNTED_ROWS) return total;
      last = [slice.expires_at, slice.id];
    }
  }

  async claimEvents({ owner, now, until, limit }: EventClaim): Promise<SecurityEventRecord[] | null> {
    const rows = await this.#write("claimEvents", [owner, now, until, limit]);
    return rows.length === 0 ? null : rows.filter(hasPosition).map(sql.decodeEvent);
  }

  async settleEvents({ owner, position, release }: SettledEvents): Promise<boolean> {
    const rows = await this.#write("settleEvents", [owner, position, release]);
    return rows.length === 1;
  }

  async signingKeys(): Promise<SealedSigningKey[]> {
    const rows = await this.#read("signingKeys", []);
    return rows.map(sql.decodeSigningKey);
  }

  async addSigningKey(key: SealedSigningKey, newestKid: string | null): Promise<boolean> {
    const rows = await this.#writeOnce("addSigningKey", [...sql.encodeSigningKey(key), newestKid]);
    return rows.length === 1;
  }

  /** In rounds, each atomic by itself, so that none holds more than `limit` rows. */
  async prune(limits: PruneLimits): Promise<PruneCounts> {
    const { now, sessionsBefore, revocationsBefore, eventsBefore, limit } = limits;
    const [challenges, revocations, events, sessions] = await Promise.all([
      this.#write("pruneChallenges", [now, limit]),
      this.#write("pruneRevocations", [revocationsBefore, limit]),
      this.#write("pruneEvents", [eventsBefore, limit]),
      this.#pruneSessions(sessionsBefore, limit),
    ]);
    return {
      sessions,
      challenges: challenges.length,
      revocations: revocations.length,
      events: events.length,
    };
  }

  async ping(): Promise<void> {
    await this.#read("ping", []);
  }

  close(): Promise<void> {
    this.#wakeUps.close();
    this.#closing ??= Promise.allSettled(this.#running).then(() => this.#connections.close());
    return this.#closing;
  }

  async #rotate(step: StepRunner, swap: RotationSwap): Promise<RotateOutcome> {
    const id = encodeSessionId(swap.id);
    if (id === null) return { outcome: "unknown" };
    const { rows, sentAgain } = await step.write(this.#statements.rotate, [
      id,
      swap.transport,
      swap.generation,
      swap.secretHash,
      swap.nextSecretHash,
      swap.nextSalt,
      swap.retryKeyHash,
      swap.now,
      swap.idleExpiresAt,
    ]);
    const [row] = rows;
    if (row !== undefined) return { outcome: "rotated", session: sql.rotatedSession(swap, row) };
    const session = await this.#find(step, id);
    if (session === null) return { outcome: "unknown" };
    return { outcome: sentAgain && isAfter(session, swap) ? "rotated" : "unmatched", session };
  }

  async #find(step: StepRunner, id: Uint8Array | null): Promise<SessionRecord | null> {
    if (id === null) return null;
    const [row] = await step.read(this.#statements.findSession, [id]);
    return row === undefined ? null : decodeSession(row);
  }

  async #isThere(step: StepRunner, id: Uint8Array | null, secretHash: Uint8Array): Promise<boolean> {
    const row = await this.#find(step, id);
    return row !== null && Buffer.compare(row.secretHash, secretHash) === 0;
  }

  async #pruneSessions(before: number, limit: number): Promise<number> {
    let deleted = 0;
    while (deleted < limit) {
      const most = limit - deleted;
      const [round = {}] = await this.#write("pruneSessions", [before, most]);
      deleted += sql.integer(round.deleted);
      if (sql.integer(round.examined) < most) break;
    }
    return deleted;
  }

  #read(name: keyof Statements, values: unknown[]): Promise<readonly sql.Row[]> {
    return this.#step((step) => step.read(this.#statements[name], values));
  }

  /** For what does no harm when it is done twice, or adds nothing. */
  #write(name: keyof Statements, values: unknown[]): Promise<readonly sql.Row[]> {
    return this.#step(async (step) => (await step.write(this.#statements[name], values)).rows);
  }

  #writeOnce(name: keyof Statements, values: unknown[]): Promise<readonly sql.Row[]> {
    return this.#step((step) => step.writeOnce(this.#statements[name], values));
  }

  /** What was begun before `close` is finished by it. */
  async #step<Output>(run: (step: StepRunner) => Promise<Output>): Promise<Output> {
    if (this.#closing !== null) throw new Error("The store is closed.");
    const running = this.#run(run);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async #run<Output>(run: (step: StepRunner) => Promise<Output>): Promise<Output> {
    this.#prepared ??= this.#connections
      .begin()
      .use(this.#prepare)
      .catch((error: unknown) => {
        this.#prepared = null;
        throw error;
      });
    await this.#prepared;
    // Its time runs from now: a migration takes as long as it takes.
    return run(this.#connections.begin());
  }
}

function decodeSession(row: sql.Row): SessionRecord {
  return sql.decodeSession(row, sql.integer(row.generation));
}

/** Whether the row is the one that this very swap has left: the salt is 16 fresh random bytes. */
function isAfter(session: SessionRecord, swap: RotationSwap): boolean {
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
