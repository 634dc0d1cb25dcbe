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
  return new MemoryStore();
}

class MemoryStore implements contract.SessionStore {
  readonly #sessions = new Map<contract.SessionId, contract.SessionRecord>();
  /** Challenge id -> when its mark can go. */
  readonly #challenges = new Map<string, number>();
  readonly #keys: contract.SealedSigningKey[] = [];
  readonly #watchers = new Set<() => void>();
  #log: contract.RevocationEntry[] = [];
  #events: contract.SecurityEventRecord[] = [];
  #deliveryClaim: { readonly owner: string; readonly until: number } | null = null;
  #lastPosition = 0;
  #closed = false;

  async createSession(
    session: contract.SessionRecord,
    challenge: contract.ConsumedChallenge,
  ): Promise<contract.CreateOutcome> {
    this.#assertOpen();
    if (this.#challenges.has(challenge.id)) return { outcome: "challenge_used" };
    if (this.#sessions.has(session.id)) throw new Error("A session with this id exists already.");
    this.#challenges.set(challenge.id, challenge.expiresAt);
    this.#sessions.set(session.id, copySession(session));
    return { outcome: "created" };
  }

  async rotate(swap: contract.RotationSwap): Promise<contract.RotateOutcome> {
    this.#assertOpen();
    const session = this.#sessions.get(swap.id);
    if (session === undefined) return { outcome: "unknown" };
    const matches =
      session.transport === swap.transport &&
      session.generation === swap.generation &&
      session.generation < GENERATION_MAX &&
      Buffer.compare(session.secretHash, swap.secretHash) === 0 &&
      isLive(session, swap.now);
    if (!matches) return { outcome: "unmatched", session: copySession(session) };
    const rotated = copySession({
      ...session,
      generation: session.generation + 1,
      secretHash: swap.nextSecretHash,
      salt: swap.nextSalt,
      retryKeyHash: swap.retryKeyHash,
      rotatedAt: swap.now,
      idleExpiresAt: Math.min(swap.idleExpiresAt, session.expiresAt),
    });
    this.#sessions.set(session.id, rotated);
    return { outcome: "rotated", session: copySession(rotated) };
  }

  async findSession(id: contract.SessionId): Promise<contract.SessionRecord | null> {
    this.#assertOpen();
    const session = this.#sessions.get(id);
    return session === undefined ? null : copySession(session);
  }

  async listSessions(actorId: string, now: number, limit: number): Promise<contract.SessionRecord[]> {
    this.#assertOpen();
    return this.#liveSessionsOf(actorId, now)
      .sort((a, b) => b.createdAt - a.createdAt)
      .slice(0, limit)
      .map(copySession);
  }

  async endedByReuse(actorId: string, since: number, limit: number): Promise<contract.SessionRecord[]> {
    this.#assertOpen();
    const endOf = ({ revokedAt, revokedReason }: contract.SessionRecord) =>
      revokedReason === "reuse" && revokedAt !== null ? revokedAt : since;
    return [...this.#sessions.values()]
      .filter((session) => session.actorId === actorId && endOf(session) > since)
      .sort((a, b) => endOf(b) - endOf(a))
      .slice(0, limit)
      .map(copySession);
  }

  async revokeSession(id: contract.SessionId, revocation: contract.Revocation): Promise<boolean> {
    this.#assertOpen();
    const session = this.#sessions.get(id);
    if (session === undefined || session.revokedAt !== null) return false;
    this.#revoke(session, revocation);
    return true;
  }

  async revokeActor(
    actorId: string,
    revocation: contract.Revocation,
    except: contract.SessionId | null,
  ): Promise<contract.SessionId[]> {
    this.#assertOpen();
    const ended = this.#liveSessionsOf(actorId, revocation.revokedAt).filter(({ id }) => id !== except);
    for (const session of ended) this.#revoke(session, revocation);
    return ended.map(({ id }) => id);
  }

  async revokeBatch(revocation: contract.Revocation, limit: number): Promise<contract.SessionId[]> {
    this.#assertOpen();
    const ended = [...this.#sessions.values()]
      .filter((session) => hasNotEnded(session, revocation.revokedAt))
      .slice(0, limit);
    for (const session of ended) this.#revoke(session, revocation);
    return ended.map(({ id }) => id);
  }

  async revocationsAfter(position: number, limit: number): Promise<contract.RevocationPage> {
    this.#assertOpen();
    const entries = this.#log.filter((entry) => entry.position > position).slice(0, limit);
    return { entries, position: entries.at(-1)?.position ?? position, end: this.#lastPosition };
  }

  watchRevocations(wake: () => void): () => void {
    // A watcher of its own for each call, also with the same function.
    const watcher = () => wake();
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  async countSessions(now: number): Promise<number> {
    this.#assertOpen();
    return [...this.#sessions.values()].filter((session) => hasNotEnded(session, now)).length;
  }

  async claimEvents({
    owner,
    now,
    until,
    limit,
  }: contract.EventClaim): Promise<contract.SecurityEventRecord[] | null> {
    this.#assertOpen();
    const held = this.#deliveryClaim;
    if (held !== null && held.owner !== owner && held.until > now) return null;
    this.#deliveryClaim = { owner, until };
    return this.#events.slice(0, limit);
  }

  async settleEvents({ owner, position, release }: contract.SettledEvents): Promise<boolean> {
    this.#assertOpen();
    if (this.#deliveryClaim?.owner !== owner) return false;
    this.#events = this.#events.filter((event) => event.position > position);
    if (release) this.#deliveryClaim = null;
    return true;
  }

  async signingKeys(): Promise<contract.SealedSigningKey[]> {
    this.#assertOpen();
    return this.#keys.map(copyKey);
  }

  async addSigningKey(key: contract.SealedSigningKey, newestKid: string | null): Promise<boolean> {
    this.#assertOpen();
    if ((this.#keys.at(-1)?.kid ?? null) !== newestKid) return false;
    if (this.#keys.some(({ kid }) => kid === key.kid)) throw new Error("A signing key with this kid exists.");
    this.#keys.push(copyKey(key));
    return true;
  }

  async prune(limits: contract.PruneLimits): Promise<contract.PruneCounts> {
    this.#assertOpen();
    const { now, sessionsBefore, revocationsBefore, eventsBefore, limit } = limits;
    const sessions = [...this.#sessions.values()]
      .filter(({ idleExpiresAt, expiresAt }) => Math.min(idleExpiresAt, expiresAt) < sessionsBefore)
      .slice(0, limit);
    for (const { id } of sessions) this.#sessions.delete(id);
    const challenges = [...this.#challenges].filter(([, expiresAt]) => expiresAt < now).slice(0, limit);
    for (const [id] of challenges) this.#challenges.delete(id);
    const revocations = this.#log.filter((entry) => entry.revokedAt < revocationsBefore).slice(0, limit);
    this.#log = this.#log.filter((entry) => !revocations.includes(entry));
    const events = this.#events.filter((event) => event.revokedAt < eventsBefore).slice(0, limit);
    this.#events = this.#events.filter((event) => !events.includes(event));
    return {
      sessions: sessions.length,
      challenges: challenges.length,
      revocations: revocations.length,
      events: events.length,
    };
  }

  async ping(): Promise<void> {
    this.#assertOpen();
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #liveSessionsOf(actorId: string, now: number): contract.SessionRecord[] {
    return [...this.#sessions.values()].filter(
      (session) => session.actorId === actorId && isLive(session, now),
    );
  }

  #revoke(session: contract.SessionRecord, { reason, revokedAt }: contract.Revocation): void {
    const { id: sessionId, actorId } = session;
    this.#sessions.set(sessionId, { ...session, revokedAt, revokedReason: reason });
    this.#lastPosition += 1;
    const position = this.#lastPosition;
    this.#log.push({ position, sessionId, revokedAt });
    this.#events.push({ position, sessionId, actorId, reason, revokedAt });
    // After this step is over.
    for (const wake of this.#watchers) queueMicrotask(wake);
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error("The store is closed.");
  }
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
