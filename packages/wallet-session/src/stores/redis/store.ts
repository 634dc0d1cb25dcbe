import { REDIS_RESUBSCRIBE_MS } from "../../limits.ts";
import type * as contract from "../../store.ts";
import { encodeSessionId } from "../session-id.ts";
import { inRounds, RunningSteps } from "../steps.ts";
import { integer } from "../values.ts";
import { WakeUps } from "../wake-ups.ts";
import type { NodeOptions } from "./connections.ts";
import type { Argument } from "./driver.ts";
import { createKeys, type Keys } from "./keys.ts";
import { Rotations } from "./rotations.ts";
import * as rows from "./rows.ts";
import { type Answer, StepRunner } from "./runner.ts";
import { SCRIPTS } from "./steps.ts";

export interface RedisStoreSettings extends NodeOptions {
  /** What the names of all keys begin with, in braces. */
  readonly prefix: string;
}

/** The store contract on Redis. Connects with the first step. */
export class RedisStore implements contract.SessionStore {
  readonly #keys: Keys;
  readonly #runner: StepRunner;
  readonly #rotations: Rotations;
  readonly #steps = new RunningSteps();
  readonly #wakeUps: WakeUps;

  constructor(settings: RedisStoreSettings) {
    this.#keys = createKeys(settings.prefix);
    this.#runner = new StepRunner(settings);
    const listen = (wakeAll: () => void) => this.#runner.node.listen(this.#keys.wake, wakeAll);
    this.#wakeUps = new WakeUps(listen, REDIS_RESUBSCRIBE_MS);
    const rotate = { ...SCRIPTS.rotate, durable: settings.durability === "always" };
    this.#rotations = new Rotations((keys, swaps) => this.#runner.run(rotate, keys, swaps));
  }

  async createSession(
    session: contract.SessionRecord,
    challenge: contract.ConsumedChallenge,
  ): Promise<contract.CreateOutcome> {
    const id = rows.encodeId(session.id);
    const row = rows.encodeSession(session);
    const { challenges, ends, examine } = this.#keys;
    const keys = [this.#keys.session(id), challenges, this.#keys.actor(session.actorId), ends, examine];
    const examineAt = Math.min(session.idleExpiresAt, session.expiresAt);
    const times = [challenge.expiresAt, session.createdAt, session.expiresAt, examineAt].map(String);
    const { reply, resent } = await this.#run("createSession", keys, [row, id, challenge.id, ...times]);
    if (reply === 1) return { outcome: "created" };
    // Sent twice, the second time meets the challenge that the first has used up.
    const found = resent ? await this.#find(id) : null;
    const wasOurs = found !== null && rows.haveSameSecret(found, row);
    return { outcome: wasOurs ? "created" : "challenge_used" };
  }

  rotate(swap: contract.RotationSwap): Promise<contract.RotateOutcome> {
    const id = encodeSessionId(swap.id);
    if (id === null) return this.#answer({ outcome: "unknown" });
    return this.#steps.run(() => this.#rotations.add(swap.id, this.#keys.session(id), swap));
  }

  async findSession(id: contract.SessionId): Promise<contract.SessionRecord | null> {
    const encoded = encodeSessionId(id);
    if (encoded === null) return this.#answer(null);
    const row = await this.#find(encoded);
    return row === null ? null : rows.decodeSession(id, row);
  }

  async listSessions(actorId: string, now: number, limit: number): Promise<contract.SessionRecord[]> {
    return this.#list("listSessions", actorId, this.#keys.actor(actorId), now, limit);
  }

  async endedByReuse(actorId: string, since: number, limit: number): Promise<contract.SessionRecord[]> {
    return this.#list("endedByReuse", actorId, this.#keys.endedByReuse(actorId), since, limit);
  }

  async revokeSession(id: contract.SessionId, revocation: contract.Revocation): Promise<boolean> {
    const encoded = encodeSessionId(id);
    if (encoded === null) return this.#answer(false);
    const key = this.#keys.session(encoded);
    const { reply, resent } = await this.#revoke(
      "revokeSession",
      revocation,
      [key],
      [rows.toBuffer(encoded)],
    );
    if (reply === null) return false;
    const [hit, row] = rows.list(reply);
    const { revokedAt, revokedReason } = rows.decodeSession(id, rows.bytes(row));
    return hit === 1 || (resent && revokedAt === revocation.revokedAt && revokedReason === revocation.reason);
  }

  async revokeActor(
    actorId: string,
    revocation: contract.Revocation,
    except: contract.SessionId | null,
  ): Promise<contract.SessionId[]> {
    if (!actorId.isWellFormed()) return this.#answer([]);
    const stays = except === null ? null : encodeSessionId(except);
    const values = stays === null ? [] : [rows.toBuffer(stays)];
    const { reply } = await this.#revoke("revokeActor", revocation, [this.#keys.actor(actorId)], values);
    return rows.decodeIds(reply);
  }

  async revokeBatch(revocation: contract.Revocation, limit: number): Promise<contract.SessionId[]> {
    return rows.decodeIds((await this.#revoke("revokeBatch", revocation, [], [`${limit}`])).reply);
  }

  async revocationsAfter(position: number, limit: number): Promise<contract.RevocationPage> {
    const keys = [this.#keys.log, this.#keys.position];
    const { reply } = await this.#run("revocationsAfter", keys, [`${position}`, `${limit}`]);
    const [found, end] = rows.list(reply);
    const entries = rows.list(found).map((entry) => rows.decodeEntry(rows.bytes(entry)));
    return {
      entries: entries.map(({ position, sessionId, revokedAt }) => ({ position, sessionId, revokedAt })),
      position: entries.at(-1)?.position ?? position,
      end: integer(end),
    };
  }

  async countSessions(now: number): Promise<number> {
    return integer(await this.#read("ZCOUNT", this.#keys.ends, `(${now}`, "+inf"));
  }

  watchRevocations(wake: () => void): () => void {
    return this.#steps.areOver ? () => {} : this.#wakeUps.watch(wake);
  }

  async claimEvents(claim: contract.EventClaim): Promise<contract.SecurityEventRecord[] | null> {
    const keys = [this.#keys.deliveryClaim, this.#keys.events];
    const values = [claim.owner, `${claim.now}`, `${claim.until}`, `${claim.limit}`];
    const { reply } = await this.#run("claimEvents", keys, values);
    return reply === null ? null : rows.list(reply).map((event) => rows.decodeEvent(rows.bytes(event)));
  }

  async settleEvents({ owner, position, release }: contract.SettledEvents): Promise<boolean> {
    const keys = [this.#keys.deliveryClaim, this.#keys.events, this.#keys.eventsByTime];
    const { reply } = await this.#run("settleEvents", keys, [owner, `${position}`, release ? "1" : "0"]);
    return reply === 1;
  }

  async signingKeys(): Promise<contract.SealedSigningKey[]> {
    const reply = await this.#read("LRANGE", this.#keys.signingKeys, "0", "-1");
    return rows.list(reply).map((key) => rows.decodeSigningKey(rows.bytes(key)));
  }

  async addSigningKey(key: contract.SealedSigningKey, newestKid: string | null): Promise<boolean> {
    const values = [rows.encodeSigningKey(key), key.kid, ...(newestKid === null ? [] : [newestKid])];
    return (await this.#run("addSigningKey", [this.#keys.signingKeys], values)).reply === 1;
  }

  /** In rounds, each atomic by itself, so that none holds the server for more than `limit` rows of one kind. */
  async prune(limits: contract.PruneLimits): Promise<contract.PruneCounts> {
    const { now, sessionsBefore, revocationsBefore, eventsBefore, limit } = limits;
    const { prefix, examine, ends, challenges, log, logByTime, events, eventsByTime } = this.#keys;
    const pruneByTime = async (keys: readonly string[], before: number) =>
      integer((await this.#run("pruneByTime", keys, [`${before}`, `${limit}`])).reply);
    return {
      sessions: await inRounds(limit, async (most) => {
        const values = [prefix, `${sessionsBefore}`, `${most}`];
        const { reply } = await this.#run("pruneSessions", [examine, ends], values);
        const [examined, deleted] = rows.list(reply).map(integer);
        return { examined: integer(examined), deleted: integer(deleted) };
      }),
      challenges: await pruneByTime([challenges], now),
      revocations: await pruneByTime([logByTime, log], revocationsBefore),
      events: await pruneByTime([eventsByTime, events], eventsBefore),
    };
  }

  async ping(): Promise<void> {
    await this.#read("PING");
  }

  close(): Promise<void> {
    this.#wakeUps.close();
    return this.#steps.close(() => this.#runner.close());
  }

  async #find(id: Uint8Array): Promise<Buffer | null> {
    const reply = await this.#read("GET", this.#keys.session(id));
    return reply === null ? null : rows.bytes(reply);
  }

  async #list(
    name: "listSessions" | "endedByReuse",
    actorId: string,
    key: Buffer,
    time: number,
    limit: number,
  ): Promise<contract.SessionRecord[]> {
    if (!actorId.isWellFormed()) return this.#answer([]);
    const { reply } = await this.#run(name, [key], [this.#keys.prefix, `${time}`, `${limit}`]);
    return rows.decodeSessions(reply);
  }

  #revoke(
    name: "revokeSession" | "revokeActor" | "revokeBatch",
    { revokedAt, reason }: contract.Revocation,
    keys: readonly Argument[],
    values: readonly Argument[],
  ): Promise<Answer> {
    const { ends, position, log, logByTime, events, eventsByTime, prefix } = this.#keys;
    return this.#run(
      name,
      [ends, position, log, logByTime, events, eventsByTime, ...keys],
      [prefix, `${revokedAt}`, rows.encodeTime(revokedAt), rows.encodeReason(reason), ...values],
    );
  }

  #run(name: keyof typeof SCRIPTS, keys: readonly Argument[], values: readonly Argument[]): Promise<Answer> {
    return this.#steps.run(() => this.#runner.run(SCRIPTS[name], keys, values));
  }

  /** A single command that changes nothing. */
  #read(...command: readonly Argument[]) {
    return this.#steps.run(() => this.#runner.read(command));
  }

  /** Where the answer is known without asking; not from a store that is closed. */
  #answer<Output>(output: Output): Promise<Output> {
    return this.#steps.run(async () => output);
  }
}
