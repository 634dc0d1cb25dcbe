import type { Clock } from "../clock.ts";
import { neverThrowing } from "../events.ts";
import type { RevocationReason, SessionId, SessionRecord, SessionStore } from "../store.ts";
import type { LeaseEndCode, LeaseListener } from "./lease-event.ts";
import type { RevocationView } from "./revocation-view.ts";
import type { AuthenticatedSession, SessionStatus } from "./session-engine.ts";
import { statusOf } from "./session-status.ts";

/** A follower is warned this long before the session has to be renewed... */
const LEASE_WARNING_MS = 60_000;
/** ...or this share of the access token's life before, where that is less. */
const LEASE_WARNING_SHARE = 1 / 4;
/** How often a session's row is read once its end is near: another process may have renewed it. */
const LEASE_LOOK_MS = 2_000;

interface Follower {
  readonly tell: LeaseListener;
  /** When the access token that it was taken with is over, with its grace; infinity once that was told. */
  outlivedAt: number;
  warned: boolean;
}

interface Followed {
  readonly id: SessionId;
  readonly followers: Set<Follower>;
  /** When the newest access token that is known of ends. */
  endsAt: number;
  /** The newest generation that a refresh on this process has reported; 0 before the first. */
  generation: number;
  /** The idle or absolute limit of the session, as last read; null until the row was. */
  limitAt: number | null;
  /** When the row is to be read next; while it is being read, when that began. */
  lookAt: number;
  looking: boolean;
  /** Revoked for a reason that is still being read. */
  revoked: boolean;
}

/**
 * The leases of this process: they follow sessions for longer than one access token lives. All leases of a session share
 * one state; one tick a second looks after all sessions.
 */
export function createLeases(options: {
  readonly store: Pick<SessionStore, "findSession">;
  readonly revocations: Pick<RevocationView, "has" | "onRevoked">;
  readonly clock: Clock;
  readonly accessTtlMs: number;
  readonly refreshIdleTtlMs: number;
  readonly refreshLeewayMs: number;
}) {
  const { store, revocations, clock, accessTtlMs } = options;
  const lifetimeMs = Math.min(accessTtlMs, options.refreshIdleTtlMs);
  const warningMs = Math.min(LEASE_WARNING_MS, lifetimeMs * LEASE_WARNING_SHARE);
  // A jar younger than two leeways is answered `unchanged`: a client that asks on the warning may be renewed that much later.
  const graceMs = 2 * options.refreshLeewayMs;
  const sessions = new Map<SessionId, Followed>();

  /** Follows the session from now on. The function returned ends the lease without a word. */
  function follow({ sessionId, accessExpiresAt }: AuthenticatedSession, listener: LeaseListener): () => void {
    const now = clock.now();
    const session = sessions.get(sessionId) ?? begin(sessionId, accessExpiresAt, now);
    extend(session, accessExpiresAt, now, false);
    // A row tells the same end in milliseconds, a token in whole seconds.
    const outlivedAt = accessExpiresAt + 1_000 + graceMs;
    const follower = { tell: neverThrowing(listener), outlivedAt, warned: false };
    session.followers.add(follower);
    // It may have been revoked since its access token was looked at.
    if (revocations.has(sessionId)) onRevoked(sessionId, null);
    return () => {
      session.followers.delete(follower);
      if (session.followers.size === 0 && isFollowed(session)) sessions.delete(sessionId);
    };
  }

  /** The row is read with the next tick: the token may be an old one by now, and does not tell the idle limit. */
  function begin(id: SessionId, endsAt: number, now: number): Followed {
    const session: Followed = {
      id,
      followers: new Set(),
      endsAt,
      generation: 0,
      limitAt: null,
      lookAt: now,
      looking: false,
      revoked: false,
    };
    sessions.set(id, session);
    return session;
  }

  const isFollowed = (session: Followed) => sessions.get(session.id) === session;

  /**
   * Takes over a later end, and tells of it. Token times are whole seconds, so a gain under one second is ignored, unless the
   * session was rotated (for example right after sign-in).
   */
  function extend(session: Followed, endsAt: number, now: number, rotated: boolean): void {
    const gainedMs = endsAt - session.endsAt;
    if (gainedMs <= 0) return;
    session.endsAt = endsAt;
    if (gainedMs < 1_000 && !rotated) return;
    const expiresInSeconds = secondsLeft(session, now);
    for (const follower of session.followers) {
      follower.warned = false;
      follower.tell({ type: "renewed", expiresInSeconds });
    }
  }

  /** Takes over the row of a live session. The limits only ever move on, so an older row takes nothing back. */
  function learn(session: Followed, row: Limits, issuedAt: number, now: number, rotated: boolean): void {
    const limitAt = Math.min(row.idleExpiresAt, row.expiresAt);
    session.limitAt = Math.max(session.limitAt ?? limitAt, limitAt);
    extend(session, Math.min(issuedAt + accessTtlMs, row.expiresAt), now, rotated);
  }

  /** An access token was issued beside this row at `at`, by a refresh on this process. */
  function renewed(row: SessionRecord, at: number): void {
    const session = sessions.get(row.id);
    if (session === undefined) return;
    const rotated = row.generation > session.generation;
    if (rotated) session.generation = row.generation;
    learn(session, row, at, clock.now(), rotated);
    if (!session.looking) session.lookAt = warnsAt(session);
  }

  /** Warns, looks at rows and ends what is due. Never rejects. */
  async function tick(): Promise<void> {
    const now = clock.now();
    const looks: Promise<void>[] = [];
    for (const session of sessions.values()) {
      if (session.revoked) end(session, "session_revoked");
      else if (!session.looking && now >= session.lookAt) looks.push(look(session, now));
      // A store that does not answer holds up neither the warning nor the end for long.
      else if (session.looking && now >= session.lookAt + LEASE_LOOK_MS) settle(session, now);
      tellOutlived(session, now);
    }
    await Promise.all(looks);
  }

  /** Reads the row, then acts on it. A fault says nothing about the session: the known state stands. */
  async function look(session: Followed, begunAt: number): Promise<void> {
    session.looking = true;
    session.lookAt = begunAt;
    const standing = await read(session.id);
    session.looking = false;
    if (!isFollowed(session) || session.revoked) return;
    const now = clock.now();
    if (standing !== null && standing.status !== "live") {
      end(session, endCodeOf(standing));
      return;
    }
    if (standing !== null) learn(session, standing, standing.rotatedAt, now, false);
    settle(session, now);
    session.lookAt = nextLook(session, now);
  }

  async function read(id: SessionId): Promise<SessionStatus | null> {
    try {
      return statusOf(await store.findSession(id), clock.now());
    } catch {
      return null;
    }
  }

  function settle(session: Followed, now: number): void {
    if (now >= dueAt(session)) end(session, "access_token_expired");
    else if (now >= warnsAt(session)) warn(session, now);
  }

  function warn(session: Followed, now: number): void {
    const expiresInSeconds = secondsLeft(session, now);
    for (const follower of session.followers) {
      if (follower.warned) continue;
      follower.warned = true;
      follower.tell({ type: "expiring", expiresInSeconds });
    }
  }

  /** One that nobody renewed ends instead, and says why. */
  function tellOutlived(session: Followed, now: number): void {
    if (now >= dueAt(session)) return;
    for (const follower of session.followers) {
      if (now < follower.outlivedAt) continue;
      follower.outlivedAt = Number.POSITIVE_INFINITY;
      follower.tell({ type: "outlived" });
    }
  }

  function warnsAt({ endsAt, limitAt }: Followed): number {
    return Math.min(endsAt, limitAt ?? endsAt) - warningMs;
  }

  /** Without a look at the row there is no grace: nothing outlives a limit that is not known. */
  function dueAt({ endsAt, limitAt }: Followed): number {
    return limitAt === null ? endsAt : Math.min(endsAt + graceMs, limitAt);
  }

  /** Nothing new is expected before the warning; from then on another process may renew the session at any moment. */
  function nextLook(session: Followed, now: number): number {
    const warning = warnsAt(session);
    if (session.limitAt !== null && now < warning) return warning;
    return Math.min(now + LEASE_LOOK_MS, dueAt(session));
  }

  function secondsLeft({ endsAt, limitAt }: Followed, now: number): number {
    return Math.max(0, Math.floor((Math.min(endsAt, limitAt ?? endsAt) - now) / 1000));
  }

  function onRevoked(id: SessionId, reason: RevocationReason | null): void {
    const session = sessions.get(id);
    if (session === undefined || session.revoked) return;
    if (reason !== null) {
      end(session, revokedCode(reason));
      return;
    }
    // The log does not say why. If the row does not tell before the next tick, the lease ends without.
    session.revoked = true;
    void read(id).then((standing) => {
      end(session, standing?.status === "revoked" ? endCodeOf(standing) : "session_revoked");
    });
  }

  function end(session: Followed, code: LeaseEndCode): void {
    if (!isFollowed(session)) return;
    sessions.delete(session.id);
    for (const { tell } of session.followers) tell({ type: "ended", code });
  }

  revocations.onRevoked(onRevoked);
  return {
    follow,
    renewed,
    tick,
    /** Forgets all leases without a word. */
    clear: () => sessions.clear(),
    count: () => [...sessions.values()].reduce((sum, { followers }) => sum + followers.size, 0),
  };
}

type Limits = Pick<SessionRecord, "idleExpiresAt" | "expiresAt">;

function endCodeOf(standing: Exclude<SessionStatus, { status: "live" }>): LeaseEndCode {
  switch (standing.status) {
    case "revoked":
      return revokedCode(standing.reason);
    case "expired":
      return "refresh_token_expired";
    case "unknown":
      return "session_revoked";
  }
}

function revokedCode(reason: RevocationReason): LeaseEndCode {
  return reason === "reuse" ? "refresh_token_reused" : "session_revoked";
}
