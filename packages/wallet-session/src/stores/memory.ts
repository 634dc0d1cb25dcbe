import type * as contract from "../store.ts";
import { GENERATION_MAX } from "../store.ts";

/**
 * The store contract in its plainest form: everything in this process's memory, gone when the process ends.
 * For tests, for trying things out, and as the specification that other stores are compared with.
 *
 * Each method does all its work in one turn of the event loop, which is what makes it atomic. Not for more than one
 * process: a second one would know nothing of this one's sessions and revocations.
 *
 * @example
 * ```ts
 * import { createSessionEngine } from "wallet-session";
 * import { createMemoryStore } from "wallet-session/stores/memory";
 *
 * const secret = "at least 32 bytes, and the same for every test";
 * export const engine = createSessionEngine({ store: createMemoryStore(), secrets: [secret], issuer: "https://pay.example.com" });
 * ```
 */
export function createMemoryStore(): contract.SessionStore {
  const sessions = new Map<contract.SessionId, contract.SessionRecord>();
  /** Challenge id -> when its mark can go. */
  const challenges = new Map<string, number>();
  const proofFailures = new Map<contract.SessionId, number>();
  const keys: contract.SealedSigningKey[] = [];
  const watchers = new Set<() => void>();
  let log: contract.RevocationEntry[] = [];
  let events: contract.SecurityEventRecord[] = [];
  let deliveryClaim: { readonly owner: string; readonly until: number } | null = null;
  let lastPosition = 0;
  let closed = false;

  function assertOpen(): void {
    if (closed) throw new Error("The store is closed.");
  }

  function sessionsThat(fit: (session: contract.SessionRecord) => boolean): contract.SessionRecord[] {
    assertOpen();
    return [...sessions.values()].filter(fit);
  }

  /** Returns their ids. */
  function revoke(ended: readonly contract.SessionRecord[], { reason, revokedAt }: contract.Revocation) {
    for (const session of ended) {
      const { id: sessionId, actorId } = session;
      sessions.set(sessionId, { ...session, revokedAt, revokedReason: reason });
      lastPosition += 1;
      log.push({ position: lastPosition, sessionId, revokedAt });
      events.push({ position: lastPosition, sessionId, actorId, reason, revokedAt });
      // After this step is over.
      for (const wake of watchers) queueMicrotask(wake);
    }
    return ended.map(({ id }) => id);
  }

  return {
    async createSession(session, challenge) {
      assertOpen();
      if (challenges.has(challenge.id)) return { outcome: "challenge_used" };
      if (sessions.has(session.id)) throw new Error("A session with this id exists already.");
      challenges.set(challenge.id, challenge.expiresAt);
      sessions.set(session.id, copySession(session));
      return { outcome: "created" };
    },

    async consumeChallenge({ id, expiresAt }) {
      assertOpen();
      if (challenges.has(id)) return false;
      challenges.set(id, expiresAt);
      return true;
    },

    async rotate(swap) {
      assertOpen();
      const session = sessions.get(swap.id);
      if (session === undefined) return { outcome: "unknown" };
      const matches =
        session.transport === swap.transport &&
        session.generation === swap.generation &&
        session.generation < GENERATION_MAX &&
        session.binding === swap.binding &&
        Buffer.compare(session.secretHash, swap.secretHash) === 0 &&
        isLive(session, swap.now);
      if (!matches) return { outcome: "unmatched", session: copySession(session) };
      const rotated = copySession({
        ...session,
        generation: session.generation + 1,
        secretHash: swap.nextSecretHash,
        salt: swap.nextSalt,
        retryKeyHash: swap.retryKeyHash,
        binding: swap.nextBinding,
        rotatedAt: swap.now,
        idleExpiresAt: Math.min(swap.idleExpiresAt, session.expiresAt),
      });
      sessions.set(session.id, rotated);
      return { outcome: "rotated", session: copySession(rotated) };
    },

    async findSession(id) {
      assertOpen();
      const session = sessions.get(id);
      return session === undefined ? null : copySession(session);
    },

    async listSessions(actorId, now, limit) {
      return sessionsThat((session) => session.actorId === actorId && isLive(session, now))
        .sort((a, b) => b.createdAt - a.createdAt)
        .slice(0, limit)
        .map(copySession);
    },

    async endedByReuse(actorId, since, limit) {
      const endOf = ({ revokedAt, revokedReason }: contract.SessionRecord) =>
        revokedReason === "reuse" && revokedAt !== null ? revokedAt : since;
      return sessionsThat((session) => session.actorId === actorId && endOf(session) > since)
        .sort((a, b) => endOf(b) - endOf(a))
        .slice(0, limit)
        .map(copySession);
    },

    async revokeSession(id, revocation) {
      assertOpen();
      const session = sessions.get(id);
      if (session === undefined || session.revokedAt !== null) return false;
      revoke([session], revocation);
      return true;
    },

    async revokeActor(actorId, revocation, except) {
      const ended = sessionsThat(
        (session) =>
          session.actorId === actorId && session.id !== except && isLive(session, revocation.revokedAt),
      );
      return revoke(ended, revocation);
    },

    async revokeBatch(revocation, limit) {
      const ended = sessionsThat((session) => hasNotEnded(session, revocation.revokedAt));
      return revoke(ended.slice(0, limit), revocation);
    },

    async noteProofFailure({ sessionId, actorId, at, since }) {
      assertOpen();
      if ((proofFailures.get(sessionId) ?? since) > since) return false;
      proofFailures.set(sessionId, at);
      lastPosition += 1;
      events.push({ position: lastPosition, sessionId, actorId, reason: "proof_failed", revokedAt: at });
      return true;
    },

    async proofFailures(ids) {
      assertOpen();
      return new Map(
        ids.flatMap((id) => {
          const at = proofFailures.get(id);
          return at === undefined ? [] : [[id, at]];
        }),
      );
    },

    async revocationsAfter(position, limit) {
      assertOpen();
      const entries = log.filter((entry) => entry.position > position).slice(0, limit);
      return { entries, position: entries.at(-1)?.position ?? position, end: lastPosition };
    },

    watchRevocations(wake) {
      // A watcher of its own for each call, also with the same function.
      const watcher = () => wake();
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },

    async countSessions(now) {
      return sessionsThat((session) => hasNotEnded(session, now)).length;
    },

    async claimEvents({ owner, now, until, limit }) {
      assertOpen();
      if (deliveryClaim !== null && deliveryClaim.owner !== owner && deliveryClaim.until > now) return null;
      deliveryClaim = { owner, until };
      return events.slice(0, limit);
    },

    async settleEvents({ owner, position, release }) {
      assertOpen();
      if (deliveryClaim?.owner !== owner) return false;
      events = events.filter((event) => event.position > position);
      if (release) deliveryClaim = null;
      return true;
    },

    async signingKeys() {
      assertOpen();
      return keys.map(copyKey);
    },

    async addSigningKey(key, newestKid) {
      assertOpen();
      if ((keys.at(-1)?.kid ?? null) !== newestKid) return false;
      if (keys.some(({ kid }) => kid === key.kid)) throw new Error("A signing key with this kid exists.");
      keys.push(copyKey(key));
      return true;
    },

    async prune({ now, sessionsBefore, revocationsBefore, eventsBefore, limit }) {
      const ended = sessionsThat(
        ({ idleExpiresAt, expiresAt }) => Math.min(idleExpiresAt, expiresAt) < sessionsBefore,
      ).slice(0, limit);
      for (const { id } of ended) sessions.delete(id);
      const used = [...challenges].filter(([, expiresAt]) => expiresAt < now).slice(0, limit);
      for (const [id] of used) challenges.delete(id);
      const oldEntries = log.filter((entry) => entry.revokedAt < revocationsBefore).slice(0, limit);
      log = log.filter((entry) => !oldEntries.includes(entry));
      const oldEvents = events.filter((event) => event.revokedAt < eventsBefore).slice(0, limit);
      events = events.filter((event) => !oldEvents.includes(event));
      const oldFailures = [...proofFailures].filter(([, at]) => at < eventsBefore).slice(0, limit);
      for (const [id] of oldFailures) proofFailures.delete(id);
      return {
        sessions: ended.length,
        challenges: used.length,
        revocations: oldEntries.length,
        events: oldEvents.length,
      };
    },

    async ping() {
      assertOpen();
    },

    async close() {
      closed = true;
    },
  };
}

function isLive(session: contract.SessionRecord, now: number): boolean {
  return hasNotEnded(session, now) && session.idleExpiresAt > now;
}

function hasNotEnded({ revokedAt, expiresAt }: contract.SessionRecord, now: number): boolean {
  return revokedAt === null && expiresAt > now;
}

// Bytes are copied on the way in and on the way out, so that nobody holds a buffer that is also the store's.
// `new Uint8Array`, since `slice` on a Buffer is a view of the same memory.
function copySession(session: contract.SessionRecord): contract.SessionRecord {
  return {
    ...session,
    secretHash: new Uint8Array(session.secretHash),
    salt: new Uint8Array(session.salt),
    retryKeyHash: session.retryKeyHash === null ? null : new Uint8Array(session.retryKeyHash),
    client: { ...session.client },
  };
}

function copyKey(key: contract.SealedSigningKey): contract.SealedSigningKey {
  return { ...key, publicKey: new Uint8Array(key.publicKey), sealed: new Uint8Array(key.sealed) };
}
