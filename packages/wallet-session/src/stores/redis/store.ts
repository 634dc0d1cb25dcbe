import { REDIS_RESUBSCRIBE_MS } from "../../limits.ts";
import type * as contract from "../../store.ts";
import { encodeSessionId, encodeSessionIds } from "../session-id.ts";
import { createRunningSteps, inRounds } from "../steps.ts";
import { integer } from "../values.ts";
import { createWakeUps } from "../wake-ups.ts";
import type { NodeOptions } from "./connections.ts";
import type { Argument } from "./driver.ts";
import { createKeys } from "./keys.ts";
import { createRotations } from "./rotations.ts";
import * as rows from "./rows.ts";
import { type Answer, createStepRunner } from "./runner.ts";
import { SCRIPTS } from "./steps.ts";

export interface RedisStoreSettings extends NodeOptions {
  /** What the names of all keys begin with, in braces. */
  readonly prefix: string;
}

/** The store contract on Redis. Connects with the first step. */
export function createRedisStore({ prefix, ...options }: RedisStoreSettings): contract.SessionStore {
  const keys = createKeys(prefix);
  const runner = createStepRunner(options);
  const steps = createRunningSteps();
  const wakeUps = createWakeUps((wakeAll) => runner.listen(keys.wake, wakeAll), REDIS_RESUBSCRIBE_MS);
  const rotateScript = { ...SCRIPTS.rotate, durable: options.durability === "always" };
  const rotate = createRotations((sessions, swaps) => runner.run(rotateScript, sessions, swaps));

  function run(
    name: keyof typeof SCRIPTS,
    names: readonly Argument[],
    values: readonly Argument[],
  ): Promise<Answer> {
    return steps.run(() => runner.run(SCRIPTS[name], names, values));
  }

  /** A single command that changes nothing. */
  function read(...command: readonly Argument[]) {
    return steps.run(() => runner.read(command));
  }

  /** Where the answer is known without asking; not from a store that is closed. */
  function answer<Output>(output: Output): Promise<Output> {
    return steps.run(async () => output);
  }

  async function find(id: Uint8Array): Promise<Buffer | null> {
    const reply = await read("GET", keys.session(id));
    return reply === null ? null : rows.bytes(reply);
  }

  async function list(
    name: "listSessions" | "endedByReuse",
    actorId: string,
    time: number,
    limit: number,
  ): Promise<contract.SessionRecord[]> {
    if (!actorId.isWellFormed()) return answer([]);
    const key = name === "listSessions" ? keys.actor(actorId) : keys.endedByReuse(actorId);
    return rows.decodeSessions((await run(name, [key], [keys.prefix, `${time}`, `${limit}`])).reply);
  }

  function revoke(
    name: "revokeSession" | "revokeActor" | "revokeBatch",
    { revokedAt, reason }: contract.Revocation,
    of: readonly Argument[],
    values: readonly Argument[],
  ): Promise<Answer> {
    const { ends, position, log, logByTime, events, eventsByTime } = keys;
    return run(
      name,
      [ends, position, log, logByTime, events, eventsByTime, ...of],
      [keys.prefix, `${revokedAt}`, rows.encodeTime(revokedAt), rows.encodeReason(reason), ...values],
    );
  }

  return {
    async createSession(session, challenge) {
      const id = rows.encodeId(session.id);
      const row = rows.encodeSession(session);
      const names = [keys.session(id), keys.challenges, keys.actor(session.actorId), keys.ends, keys.examine];
      const examineAt = Math.min(session.idleExpiresAt, session.expiresAt);
      const times = [challenge.expiresAt, session.createdAt, session.expiresAt, examineAt].map(String);
      const { reply, resent } = await run("createSession", names, [row, id, challenge.id, ...times]);
      if (reply === 1) return { outcome: "created" };
      // Sent twice, the second time meets the challenge that the first has used up.
      const found = resent ? await find(id) : null;
      const wasOurs = found !== null && rows.haveSameSecret(found, row);
      return { outcome: wasOurs ? "created" : "challenge_used" };
    },

    async consumeChallenge({ id, expiresAt }) {
      return (await run("consumeChallenge", [keys.challenges], [id, `${expiresAt}`])).reply === 1;
    },

    rotate(swap) {
      const id = encodeSessionId(swap.id);
      if (id === null) return answer({ outcome: "unknown" });
      return steps.run(() => rotate(swap.id, keys.session(id), swap));
    },

    async findSession(id) {
      const encoded = encodeSessionId(id);
      if (encoded === null) return answer(null);
      const row = await find(encoded);
      return row === null ? null : rows.decodeSession(id, row);
    },

    async listSessions(actorId, now, limit) {
      return list("listSessions", actorId, now, limit);
    },

    async endedByReuse(actorId, since, limit) {
      return list("endedByReuse", actorId, since, limit);
    },

    async revokeSession(id, revocation) {
      const encoded = encodeSessionId(id);
      if (encoded === null) return answer(false);
      const values = [rows.toBuffer(encoded)];
      const { reply, resent } = await revoke("revokeSession", revocation, [keys.session(encoded)], values);
      if (reply === null) return false;
      const [hit, row] = rows.list(reply);
      const { revokedAt, revokedReason } = rows.decodeSession(id, rows.bytes(row));
      return (
        hit === 1 || (resent && revokedAt === revocation.revokedAt && revokedReason === revocation.reason)
      );
    },

    async revokeActor(actorId, revocation, except) {
      if (!actorId.isWellFormed()) return answer([]);
      const stays = except === null ? null : encodeSessionId(except);
      const values = stays === null ? [] : [rows.toBuffer(stays)];
      const { reply } = await revoke("revokeActor", revocation, [keys.actor(actorId)], values);
      return rows.decodeIds(reply);
    },

    async revokeBatch(revocation, limit) {
      return rows.decodeIds((await revoke("revokeBatch", revocation, [], [`${limit}`])).reply);
    },

    async noteProofFailure(failure) {
      const { sessionId, at, since } = failure;
      const { proofFailures, position, events, eventsByTime } = keys;
      const values = [rows.encodeId(sessionId), `${at}`, `${since}`, rows.encodeProofFailure(failure)];
      const names = [proofFailures, position, events, eventsByTime];
      return (await run("noteProofFailure", names, values)).reply === 1;
    },

    async proofFailures(ids) {
      const values = encodeSessionIds(ids).map(rows.toBuffer);
      return rows.decodeProofFailures((await run("proofFailures", [keys.proofFailures], values)).reply);
    },

    async revocationsAfter(position, limit) {
      const values = [`${position}`, `${limit}`];
      const { reply } = await run("revocationsAfter", [keys.log, keys.position], values);
      const [found, end] = rows.list(reply);
      const entries = rows.list(found).map((entry) => rows.decodeEntry(rows.bytes(entry)));
      return {
        entries,
        position: entries.at(-1)?.position ?? position,
        end: integer(end),
      };
    },

    async countSessions(now) {
      return integer(await read("ZCOUNT", keys.ends, `(${now}`, "+inf"));
    },

    watchRevocations(wake) {
      return steps.areOver() ? () => {} : wakeUps.watch(wake);
    },

    async claimEvents({ owner, now, until, limit }) {
      const values = [owner, `${now}`, `${until}`, `${limit}`];
      const { reply } = await run("claimEvents", [keys.deliveryClaim, keys.events], values);
      return reply === null ? null : rows.list(reply).map((event) => rows.decodeEvent(rows.bytes(event)));
    },

    async settleEvents({ owner, position, release }) {
      const names = [keys.deliveryClaim, keys.events, keys.eventsByTime];
      const { reply } = await run("settleEvents", names, [owner, `${position}`, release ? "1" : "0"]);
      return reply === 1;
    },

    async signingKeys() {
      const reply = await read("LRANGE", keys.signingKeys, "0", "-1");
      return rows.list(reply).map((key) => rows.decodeSigningKey(rows.bytes(key)));
    },

    async addSigningKey(key, newestKid) {
      const values = [rows.encodeSigningKey(key), key.kid, ...(newestKid === null ? [] : [newestKid])];
      return (await run("addSigningKey", [keys.signingKeys], values)).reply === 1;
    },

    /** In rounds, each atomic by itself, so that none holds the server for more than `limit` rows of one kind. */
    async prune({ now, sessionsBefore, revocationsBefore, eventsBefore, limit }) {
      const pruneByTime = async (names: readonly string[], before: number) =>
        integer((await run("pruneByTime", names, [`${before}`, `${limit}`])).reply);
      const counts = {
        sessions: await inRounds(limit, async (most) => {
          const values = [keys.prefix, `${sessionsBefore}`, `${most}`];
          const { reply } = await run("pruneSessions", [keys.examine, keys.ends], values);
          const [examined, deleted] = rows.list(reply).map(integer);
          return { examined: integer(examined), deleted: integer(deleted) };
        }),
        challenges: await pruneByTime([keys.challenges], now),
        revocations: await pruneByTime([keys.logByTime, keys.log], revocationsBefore),
        events: await pruneByTime([keys.eventsByTime, keys.events], eventsBefore),
      };
      await pruneByTime([keys.proofFailures], eventsBefore);
      return counts;
    },

    async ping() {
      await run("ping", [keys.position], []);
    },

    close() {
      wakeUps.close();
      return steps.close(() => runner.close());
    },
  };
}
