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
import type { NodeOptions } from "./connections.ts";
import type { Argument, Reply } from "./driver.ts";
import { createKeys, type Keys } from "./keys.ts";
import { bytes, decodeIds, decodeSessions, integer, list } from "./replies.ts";
import { Rotations } from "./rotations.ts";
import * as rows from "./rows.ts";
import { type Answer, type Step, StepRunner } from "./runner.ts";
import { SCRIPTS } from "./steps.ts";
import { watchChannel } from "./wake-ups.ts";

export interface RedisStoreSettings extends NodeOptions {
  /** What the names of all keys begin with, in braces. */
  readonly prefix: string;
}

/** The store contract on Redis. Connects with the first step. */
export class RedisStore implements SessionStore {
  readonly #keys: Keys;
  readonly #runner: StepRunner;
  readonly #rotations: Rotations;
  readonly #running = new Set<Promise<unknown>>();
  readonly #watches = new Set<() => void>();
  #closing: Promise<void> | null = null;

  constructor(settings: RedisStoreSettings) {
    this.#keys = createKeys(settings.prefix);
    this.#runner = new StepRunner(settings);
    const durable = settings.durability === "always";
    this.#rotations = new Rotations((keys, values) =>
      this.#runner.run({ script: SCRIPTS.rotate, keys, values, durable, repeatable: true }),
    );
  }

  async createSession(session: SessionRecord, challenge: ConsumedChallenge): Promise<CreateOutcome> {
    const id = rows.encodeId(session.id);
    const row = rows.encodeSession(session);
    const examineAt = Math.min(session.idleExpiresAt, session.expiresAt);
    const { reply, resent } = await this.#write("createSession", {
      keys: [
        this.#keys.session(id),
        this.#keys.challenges,
        this.#keys.actor(session.actorId),
        this.#keys.ends,
        this.#keys.examine,
      ],
      values: [
        row,
        id,
        challenge.id,
        `${challenge.expiresAt}`,
        `${session.createdAt}`,
        `${session.expiresAt}`,
        `${examineAt}`,
      ],
    });
    if (reply === 1) return { outcome: "created" };
    // Sent twice, the second time meets the challenge that the first has used up.
    const found = resent ? await this.#find(id) : null;
    const wasOurs = found !== null && rows.haveSameSecret(found, row);
    return { outcome: wasOurs ? "created" : "challenge_used" };
  }

  rotate(swap: RotationSwap): Promise<RotateOutcome> {
    const id = encodeSessionId(swap.id);
    if (id === null) return this.#answer({ outcome: "unknown" });
    return this.#step(() => this.#rotations.add(swap.id, this.#keys.session(id), swap));
  }

  async findSession(id: SessionId): Promise<SessionRecord | null> {
    const encoded = encodeSessionId(id);
    if (encoded === null) return this.#answer(null);
    const row = await this.#find(encoded);
    return row === null ? null : rows.decodeSession(id, row);
  }

  async listSessions(actorId: string, now: number, limit: number): Promise<SessionRecord[]> {
    if (!actorId.isWellFormed()) return this.#answer([]);
    const keys = [this.#keys.actor(actorId)];
    return decodeSessions(await this.#read("listSessions", keys, [this.#keys.prefix, `${now}`, `${limit}`]));
  }

  async endedByReuse(actorId: string, since: number, limit: number): Promise<SessionRecord[]> {
    if (!actorId.isWellFormed()) return this.#answer([]);
    const keys = [this.#keys.endedByReuse(actorId)];
    return decodeSessions(
      await this.#read("endedByReuse", keys, [this.#keys.prefix, `${since}`, `${limit}`]),
    );
  }

  async revokeSession(id: SessionId, revocation: Revocation): Promise<boolean> {
    const encoded = encodeSessionId(id);
    if (encoded === null) return this.#answer(false);
    const revoking = this.#revoking(revocation, [this.#keys.session(encoded)], [rows.toBuffer(encoded)]);
    const { reply, resent } = await this.#write("revokeSession", revoking);
    if (reply === null) return false;
    const [hit, row] = list(reply);
    const { revokedAt, revokedReason } = rows.decodeSession(id, bytes(row));
    return hit === 1 || (resent && revokedAt === revocation.revokedAt && revokedReason === revocation.reason);
  }

  async revokeActor(actorId: string, revocation: Revocation, except: SessionId | null): Promise<SessionId[]> {
    if (!actorId.isWellFormed()) return this.#answer([]);
    const stays = except === null ? null : encodeSessionId(except);
    const revoking = this.#revoking(
      revocation,
      [this.#keys.actor(actorId)],
      stays === null ? [] : [rows.toBuffer(stays)],
    );
    return decodeIds((await this.#write("revokeActor", revoking, { repeatable: false })).reply);
  }

  async revokeBatch(revocation: Revocation, limit: number): Promise<SessionId[]> {
    const revoking = this.#revoking(revocation, [], [`${limit}`]);
    return decodeIds((await this.#write("revokeBatch", revoking, { repeatable: false })).reply);
  }

  async revocationsAfter(position: number, limit: number): Promise<RevocationPage> {
    const keys = [this.#keys.log, this.#keys.position];
    const [found, end] = list(await this.#read("revocationsAfter", keys, [`${position}`, `${limit}`]));
    const entries = list(found).map((entry) => rows.decodeEntry(bytes(entry)));
    return {
      entries: entries.map(({ position, sessionId, revokedAt }) => ({ position, sessionId, revokedAt })),
      position: entries.at(-1)?.position ?? position,
      end: integer(end),
    };
  }

  async countSessions(now: number): Promise<number> {
    const reply = await this.#step(() => this.#runner.read(["ZCOUNT", this.#keys.ends, `(${now}`, "+inf"]));
    return integer(reply);
  }

  /** Ends with the store, too. */
  watchRevocations(wake: () => void): () => void {
    if (this.#closing !== null) return () => {};
    const stop = watchChannel(this.#runner.node, this.#keys.wake, wake);
    this.#watches.add(stop);
    return () => {
      this.#watches.delete(stop);
      stop();
    };
  }

  async claimEvents({ owner, now, until, limit }: EventClaim): Promise<SecurityEventRecord[] | null> {
    const keys = [this.#keys.deliveryClaim, this.#keys.events];
    const values = [owner, `${now}`, `${until}`, `${limit}`];
    const { reply } = await this.#write("claimEvents", { keys, values }, { durable: false });
    return reply === null ? null : list(reply).map((event) => rows.decodeEvent(bytes(event)));
  }

  async settleEvents({ owner, position, release }: SettledEvents): Promise<boolean> {
    const keys = [this.#keys.deliveryClaim, this.#keys.events, this.#keys.eventsByTime];
    const values = [owner, `${position}`, release ? "1" : "0"];
    return (await this.#write("settleEvents", { keys, values }, { durable: false })).reply === 1;
  }

  async signingKeys(): Promise<SealedSigningKey[]> {
    const reply = await this.#step(() => this.#runner.read(["LRANGE", this.#keys.signingKeys, "0", "-1"]));
    return list(reply).map((key) => rows.decodeSigningKey(bytes(key)));
  }

  async addSigningKey(key: SealedSigningKey, newestKid: string | null): Promise<boolean> {
    const values = [rows.encodeSigningKey(key), key.kid, ...(newestKid === null ? [] : [newestKid])];
    const adding = { keys: [this.#keys.signingKeys], values };
    return (await this.#write("addSigningKey", adding, { repeatable: false })).reply === 1;
  }

  /** In rounds, each atomic by itself, so that none holds the server for more than `limit` rows of one kind. */
  async prune(limits: PruneLimits): Promise<PruneCounts> {
    const { now, sessionsBefore, revocationsBefore, eventsBefore, limit } = limits;
    const { challenges, log, logByTime, events, eventsByTime } = this.#keys;
    return {
      sessions: await this.#pruneSessions(sessionsBefore, limit),
      challenges: await this.#pruneByTime([challenges], now, limit),
      revocations: await this.#pruneByTime([logByTime, log], revocationsBefore, limit),
      events: await this.#pruneByTime([eventsByTime, events], eventsBefore, limit),
    };
  }

  async ping(): Promise<void> {
    await this.#step(() => this.#runner.read(["PING"]));
  }

  close(): Promise<void> {
    for (const stop of this.#watches) stop();
    this.#closing ??= Promise.allSettled(this.#running).then(() => this.#runner.close());
    return this.#closing;
  }

  async #find(id: Uint8Array): Promise<Buffer | null> {
    const reply = await this.#step(() => this.#runner.read(["GET", this.#keys.session(id)]));
    return reply === null ? null : bytes(reply);
  }

  async #pruneSessions(before: number, limit: number): Promise<number> {
    let deleted = 0;
    while (deleted < limit) {
      const most = limit - deleted;
      const { reply } = await this.#write(
        "pruneSessions",
        {
          keys: [this.#keys.examine, this.#keys.ends],
          values: [this.#keys.prefix, `${before}`, `${most}`],
        },
        { durable: false },
      );
      const [examined, gone] = list(reply);
      deleted += integer(gone);
      if (integer(examined) < most) break;
    }
    return deleted;
  }

  async #pruneByTime(keys: readonly string[], before: number, limit: number): Promise<number> {
    const values = [`${before}`, `${limit}`];
    return integer((await this.#write("pruneByTime", { keys, values }, { durable: false })).reply);
  }

  #revoking(
    { revokedAt, reason }: Revocation,
    keys: readonly Argument[],
    values: readonly Argument[],
  ): Pick<Step, "keys" | "values"> {
    const { ends, position, log, logByTime, events, eventsByTime, prefix } = this.#keys;
    return {
      keys: [ends, position, log, logByTime, events, eventsByTime, ...keys],
      values: [prefix, `${revokedAt}`, rows.encodeTime(revokedAt), rows.encodeReason(reason), ...values],
    };
  }

  async #read(
    name: keyof typeof SCRIPTS,
    keys: readonly Argument[],
    values: readonly Argument[],
  ): Promise<Reply> {
    return (await this.#write(name, { keys, values }, { durable: false })).reply;
  }

  #write(
    name: keyof typeof SCRIPTS,
    { keys, values }: Pick<Step, "keys" | "values">,
    { durable = true, repeatable = true }: Partial<Pick<Step, "durable" | "repeatable">> = {},
  ): Promise<Answer> {
    return this.#step(() => this.#runner.run({ script: SCRIPTS[name], keys, values, durable, repeatable }));
  }

  /** Where the answer is known without asking; not from a store that is closed. */
  #answer<Output>(output: Output): Promise<Output> {
    return this.#step(async () => output);
  }

  /** What was begun before `close` is finished by it. */
  async #step<Output>(run: () => Promise<Output>): Promise<Output> {
    if (this.#closing !== null) throw new Error("The store is closed.");
    const step = run();
    this.#running.add(step);
    try {
      return await step;
    } finally {
      this.#running.delete(step);
    }
  }
}
