import { POSTGRES_COUNTED_ROWS } from "../../limits.ts";
import type * as contract from "../../store.ts";
import { encodeSessionId } from "../session-id.ts";
import * as sql from "../sql/rows.ts";
import { inRounds, type Round } from "../steps.ts";
import { integer } from "../values.ts";
import { WakeUps } from "../wake-ups.ts";
import { type Connection, openListener, POSTGRES_TIMES, type PostgresSource } from "./driver.ts";
import { Runner, type Step } from "./runner.ts";
import { createStatements, type Statements } from "./steps.ts";

const ID_AFTER_ALL = new Uint8Array(16).fill(255);

/**
 * The store contract on PostgreSQL. Connects with the first step.
 *
 * A write whose connection was lost is sent again where the row tells afterwards whose write it was; else it rejects
 * (docs/decisions/0026).
 */
export class PostgresStore implements contract.SessionStore {
  readonly #runner: Runner;
  readonly #wakeUps: WakeUps;
  readonly #statements: Statements;

  /** @param prepare done once before the first step: makes the schema fit, or rejects; tried again by the next step */
  constructor(
    source: PostgresSource,
    schema: string,
    prepare: (connection: Connection) => Promise<void>,
    times = POSTGRES_TIMES,
  ) {
    this.#runner = new Runner(source, times, prepare);
    const listen = (wakeAll: () => void) => openListener(source, schema, wakeAll, times);
    this.#wakeUps = new WakeUps(listen, times.listenAgainMs);
    this.#statements = createStatements(schema);
  }

  async createSession(
    session: contract.SessionRecord,
    challenge: contract.ConsumedChallenge,
  ): Promise<contract.CreateOutcome> {
    const values = [...sql.encodeSession(session, session.generation), challenge.id, challenge.expiresAt];
    const id = encodeSessionId(session.id);
    const secretHash = sql.copyBytes(session.secretHash);
    return this.#runner.run(async (step) => {
      const { rows, sentAgain } = await step.send(this.#statements.createSession, values, "again");
      const row = rows.length === 0 && sentAgain ? await this.#find(step, id) : null;
      const wasOurs = row !== null && Buffer.compare(row.secretHash, secretHash) === 0;
      const created = rows.length === 1 || wasOurs;
      return { outcome: created ? "created" : "challenge_used" };
    });
  }

  async rotate(swap: contract.RotationSwap): Promise<contract.RotateOutcome> {
    const copy = sql.copySwap(swap);
    return this.#runner.run((step) => this.#rotate(step, copy));
  }

  async findSession(id: contract.SessionId): Promise<contract.SessionRecord | null> {
    return this.#runner.run((step) => this.#find(step, encodeSessionId(id)));
  }

  async listSessions(actorId: string, now: number, limit: number): Promise<contract.SessionRecord[]> {
    const rows = await this.#rows("listSessions", [actorId, now, limit]);
    return rows.map(decodeSession);
  }

  async endedByReuse(actorId: string, since: number, limit: number): Promise<contract.SessionRecord[]> {
    const rows = await this.#rows("endedByReuse", [actorId, since, limit]);
    return rows.map(decodeSession);
  }

  async revokeSession(id: contract.SessionId, revocation: contract.Revocation): Promise<boolean> {
    const bytes = encodeSessionId(id);
    const { revokedAt, reason } = revocation;
    return this.#runner.run(async (step) => {
      const values = [revokedAt, reason, bytes];
      const { rows, sentAgain } = await step.send(this.#statements.revokeSession, values, "again");
      if (rows.length === 1 || !sentAgain) return rows.length === 1;
      const row = await this.#find(step, bytes);
      return row !== null && row.revokedAt === revokedAt && row.revokedReason === reason;
    });
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
    // Positions become visible in their order (migrations.ts): no re-reading.
    const rows = await this.#rows("revocationsAfter", [position, limit]);
    return sql.decodePage(rows.filter(hasPosition), position, rows[0]?.last_position);
  }

  watchRevocations(wake: () => void): () => void {
    return this.#runner.isClosed ? () => {} : this.#wakeUps.watch(wake);
  }

  /** In rounds, by an order in which no session moves: a million is too many for the time of one step. */
  async countSessions(now: number): Promise<number> {
    let last: unknown[] = [now, ID_AFTER_ALL];
    for (let total = 0; ; ) {
      const [slice] = await this.#rows("countSessions", [...last, POSTGRES_COUNTED_ROWS]);
      if (slice === undefined) return total;
      const count = integer(slice.count);
      total += count;
      if (count < POSTGRES_COUNTED_ROWS) return total;
      last = [slice.expires_at, slice.id];
    }
  }

  async claimEvents({
    owner,
    now,
    until,
    limit,
  }: contract.EventClaim): Promise<contract.SecurityEventRecord[] | null> {
    const rows = await this.#rows("claimEvents", [owner, now, until, limit]);
    return rows.length === 0 ? null : rows.filter(hasPosition).map(sql.decodeEvent);
  }

  async settleEvents({ owner, position, release }: contract.SettledEvents): Promise<boolean> {
    const rows = await this.#rows("settleEvents", [owner, position, release]);
    return rows.length === 1;
  }

  async signingKeys(): Promise<contract.SealedSigningKey[]> {
    const rows = await this.#rows("signingKeys", []);
    return rows.map(sql.decodeSigningKey);
  }

  async addSigningKey(key: contract.SealedSigningKey, newestKid: string | null): Promise<boolean> {
    const rows = await this.#rows("addSigningKey", [...sql.encodeSigningKey(key), newestKid], "reject");
    return rows.length === 1;
  }

  /** In rounds, each atomic by itself, so that none holds more than `limit` rows. */
  async prune(limits: contract.PruneLimits): Promise<contract.PruneCounts> {
    const { now, sessionsBefore, revocationsBefore, eventsBefore, limit } = limits;
    const [challenges, revocations, events, sessions] = await Promise.all([
      this.#rows("pruneChallenges", [now, limit]),
      this.#rows("pruneRevocations", [revocationsBefore, limit]),
      this.#rows("pruneEvents", [eventsBefore, limit]),
      inRounds(limit, (most) => this.#pruneSessions(sessionsBefore, most)),
    ]);
    return {
      sessions,
      challenges: challenges.length,
      revocations: revocations.length,
      events: events.length,
    };
  }

  async ping(): Promise<void> {
    await this.#rows("ping", []);
  }

  close(): Promise<void> {
    this.#wakeUps.close();
    return this.#runner.close();
  }

  async #rotate(step: Step, swap: contract.RotationSwap): Promise<contract.RotateOutcome> {
    const id = encodeSessionId(swap.id);
    if (id === null) return { outcome: "unknown" };
    const { rows, sentAgain } = await step.send(
      this.#statements.rotate,
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
      ],
      "again",
    );
    const [row] = rows;
    if (row !== undefined) return { outcome: "rotated", session: sql.rotatedSession(swap, row) };
    const session = await this.#find(step, id);
    if (session === null) return { outcome: "unknown" };
    return { outcome: sentAgain && isAfter(session, swap) ? "rotated" : "unmatched", session };
  }

  async #find(step: Step, id: Uint8Array | null): Promise<contract.SessionRecord | null> {
    if (id === null) return null;
    const [row] = (await step.send(this.#statements.findSession, [id], "again")).rows;
    return row === undefined ? null : decodeSession(row);
  }

  async #revoke(
    name: "revokeActor" | "revokeBatch",
    { revokedAt, reason }: contract.Revocation,
    values: readonly sql.SqlValue[],
  ): Promise<contract.SessionId[]> {
    const rows = await this.#rows(name, [revokedAt, reason, ...values], "reject");
    return rows.map((row) => sql.sessionId(row.session_id));
  }

  async #pruneSessions(before: number, limit: number): Promise<Round> {
    const [row = {}] = await this.#rows("pruneSessions", [before, limit]);
    return { examined: integer(row.examined), deleted: integer(row.deleted) };
  }

  /**
   * A step of one statement. `reject`: nobody could tell what a second sending wrote from what the first did. Without it the
   * statement reads, does no harm when it is done twice, or adds nothing.
   */
  async #rows(
    name: keyof Statements,
    values: unknown[],
    whenLost: "again" | "reject" = "again",
  ): Promise<readonly sql.Row[]> {
    const answer = await this.#runner.run((step) => step.send(this.#statements[name], values, whenLost));
    return answer.rows;
  }
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
