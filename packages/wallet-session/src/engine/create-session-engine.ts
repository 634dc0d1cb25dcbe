import { type Clock, type RandomBytes, systemClock, systemRandom } from "../clock.ts";
import { SessionError } from "../errors.ts";
import { type EventSink, neverThrowing } from "../events.ts";
import {
  ACCESS_TOKEN_TTL_MS,
  ENDED_SESSION_KEPT_MS,
  REFRESH_ABSOLUTE_TTL_MS,
  REFRESH_IDLE_TTL_MS,
  REFRESH_LEEWAY_MAX_SHARE,
  REFRESH_LEEWAY_MS,
  SESSION_ALARMS_LISTED,
  SESSIONS_LISTED,
} from "../limits.ts";
import type { SessionId, SessionStore } from "../store.ts";
import { createAccessTokens } from "../tokens/access-token.ts";
import { createKeyring } from "../tokens/secrets.ts";
import { createSigningKeys } from "../tokens/signing-keys.ts";
import { readStrictJwt } from "../tokens/strict-jwt.ts";
import { authenticate, liveSession } from "./authenticate.ts";
import type { EngineContext } from "./context.ts";
import { guardStore, type StoreStepTrace } from "./guarded-store.ts";
import { introspect } from "./introspect.ts";
import { ownClaims } from "./issue.ts";
import { createLeases } from "./leases.ts";
import { createOutbox } from "./outbox.ts";
import { createProofs } from "./proofs.ts";
import { prune } from "./prune.ts";
import { readJar } from "./read-jar.ts";
import { createRefreshing } from "./refresh.ts";
import { createRevocationView } from "./revocation-view.ts";
import { createRevoking } from "./revoke.ts";
import type { SecurityEventHandler } from "./security-event.ts";
import type { ClaimsOf, ListedSession, SessionAlarm, SessionEngine } from "./session-engine.ts";
import { statusOf } from "./session-status.ts";
import { signIn } from "./sign-in.ts";
import { type Every, everyInterval } from "./timers.ts";

export interface SessionEngineOptions {
  /** Where sessions live. The engine owns it from now on: `close` closes it. */
  readonly store: SessionStore;
  /** Secrets of 32 bytes or more, no two alike: the first signs, the others only verify. The same in all processes. */
  readonly secrets: readonly string[];
  /** `iss` of access tokens: the public URL of this service, without a slash at its end. */
  readonly issuer: string;
  /**
   * `aud` of access tokens: one, or a list where several services take them. A token counts here if it names
   * none but these. 512 characters in all. @default the issuer
   */
  readonly audience?: string | readonly string[];
  /**
   * Own claims of access tokens. @default none
   * @example
   * ```ts
   * import { createSessionEngine } from "wallet-session";
   * import { createMemoryStore } from "wallet-session/stores/memory";
   *
   * const roles = new Map([["GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H", ["admin"]]]);
   *
   * export const engine = createSessionEngine({
   *   store: createMemoryStore(),
   *   secrets: [process.env.AUTH_SECRET ?? ""],
   *   issuer: "https://pay.example.com",
   *   claims: ({ actorId }) => ({ roles: roles.get(actorId) ?? [] }),
   * });
   * ```
   */
  readonly claims?: ClaimsOf;
  /** How long an access token lives. @default 900_000 (15 minutes) */
  readonly accessTtlMs?: number;
  /** How long a session lives after its last refresh. @default 604_800_000 (7 days) */
  readonly refreshIdleTtlMs?: number;
  /**
   * How long a session lives at most after its sign-in, however often it is refreshed. Changes hold for new sessions.
   * @default 2_592_000_000 (30 days)
   */
  readonly refreshAbsoluteTtlMs?: number;
  /**
   * How long after a rotation a cookie jar may present the spent token again. A quarter of `accessTtlMs` at most. Body
   * sessions have no leeway.
   * @default 30_000, or a quarter of `accessTtlMs` where that is less
   */
  readonly refreshLeewayMs?: number;
  /** Told of each event, after it has happened. What it throws is dropped. @default events are dropped */
  readonly onEvent?: EventSink;
  /**
   * Handed each end of a session before its time, whichever process ended it: at least once, by one process at a time, in the
   * background and also after a restart. See {@link SecurityEventHandler}. Needs the timers of `start`.
   * @default security events stay in the store for other processes, and are pruned after 7 days
   */
  readonly onSecurityEvent?: SecurityEventHandler;
  /** Times the steps of the store. Must not throw. */
  readonly onStoreStep?: StoreStepTrace;
  /** Where the time comes from. For tests. @default the system's clock */
  readonly clock?: Clock;
  /** A cryptographic source of random bytes. For tests. @default the system's generator */
  readonly random?: RandomBytes;
  /** How timers run. For tests. @default `setInterval`, without keeping the process alive */
  readonly every?: Every;
}

/** @throws RangeError for more than the share: a jar that is young for two leeways would not be renewed in time */
function leewayFor(accessTtlMs: number, leewayMs: number | undefined): number {
  const most = accessTtlMs * REFRESH_LEEWAY_MAX_SHARE;
  if (leewayMs === undefined) return Math.min(REFRESH_LEEWAY_MS, most);
  if (leewayMs > most) throw new RangeError("refreshLeewayMs is more than a quarter of accessTtlMs");
  return leewayMs;
}

/** How often the revocation log is read, also without a wake-up: other nodes refuse a revoked session within a second. */
const REVOCATION_POLL_MS = 500;
/** How often all leases are looked after. */
const LEASE_TICK_MS = 1_000;
/** How often a node takes over signing keys that other nodes have added: several times within the lead. */
const SIGNING_KEY_POLL_MS = 60_000;
const PRUNE_INTERVAL_MS = 600_000;
/** How often a process looks for security events to deliver. */
const SECURITY_EVENTS_POLL_MS = 2_000;

/**
 * Makes the engine of a store. Does not touch the store until `start`. For a whole service, with endpoints and settings from
 * the environment, see `createSessions` of `wallet-session/server`.
 * @throws RangeError for secrets that cannot be used, and for a leeway that is too long
 *
 * @example
 * ```ts
 * import { createSessionEngine } from "wallet-session";
 * import { openSqliteStore } from "wallet-session/stores/sqlite";
 *
 * const engine = createSessionEngine({
 *   store: openSqliteStore({ path: "sessions.db" }),
 *   secrets: [process.env.AUTH_SECRET ?? ""],
 *   issuer: "https://pay.example.com",
 * });
 * await engine.start();
 * ```
 */
export function createSessionEngine(options: SessionEngineOptions): SessionEngine {
  const { issuer, audience = issuer, accessTtlMs = ACCESS_TOKEN_TTL_MS, every = everyInterval } = options;
  const { clock = systemClock, random = systemRandom } = options;
  const onEvent = neverThrowing(options.onEvent ?? (() => {}));
  const store = guardStore(options.store, onEvent, options.onStoreStep);
  const keyring = createKeyring(options.secrets);
  const keys = createSigningKeys({ store, keyring, clock, random, accessTtlMs, onEvent });
  const accessTokens = createAccessTokens({ keys, issuer, audience, ttlMs: accessTtlMs, clock, random });
  const revocations = createRevocationView({ store, clock, accessTtlMs, onEvent });
  const lifetimes = {
    refreshIdleTtlMs: options.refreshIdleTtlMs ?? REFRESH_IDLE_TTL_MS,
    refreshAbsoluteTtlMs: options.refreshAbsoluteTtlMs ?? REFRESH_ABSOLUTE_TTL_MS,
    refreshLeewayMs: leewayFor(accessTtlMs, options.refreshLeewayMs),
  };
  const leases = createLeases({ store, revocations, clock, accessTtlMs, ...lifetimes });
  const outbox = options.onSecurityEvent
    ? createOutbox({ store, handler: options.onSecurityEvent, clock, random, every, onEvent })
    : null;
  revocations.onRevoked(() => outbox?.wake());
  let stops: (() => void)[] = [];
  const context: EngineContext = {
    store,
    keyring,
    accessTokens,
    proofs: createProofs({ store, keyring, clock, random }),
    revocations,
    claims: options.claims ?? null,
    onRefreshed: (session, issuedAt) => leases.renewed(session, issuedAt),
    followsRevocations: () => stops.length > 0,
    clock,
    random,
    onEvent,
    ...lifetimes,
  };

  const revoking = createRevoking(context);
  const refreshing = createRefreshing(context, revoking.revoke);

  return {
    signIn: (actor, signInOptions) => signIn(context, actor, signInOptions),
    consumeChallenge: (challenge) => store.consumeChallenge(challenge),
    readJar: (cookies) => readJar(context, cookies),
    ...refreshing,
    registrationChallenge: ({ id, generation, transport, binding }) =>
      transport === "cookie" && binding === null
        ? context.proofs.registrationChallenge(id, generation)
        : null,
    ...revoking.verbs,
    authenticate: (token, authenticateOptions) => authenticate(context, token, authenticateOptions),
    isOwnAccessToken: (token) => readStrictJwt(token)?.claims.iss === issuer,
    getSession: ({ sessionId }) => liveSession(context, sessionId),
    watchSession: (session, listener) => leases.follow(session, listener),
    getSessionStatus: async (id) => statusOf(await store.findSession(id), clock.now()),
    listSessions: (actorId) => listSessions(context, actorId),
    listAlarms: (actorId) => listAlarms(context, actorId),
    introspect: (token) => introspect(context, token, refreshing.inspectRefreshToken),
    issueAccessToken: (id) => issueAccessToken(context, id),
    getJwks: () => keys.jwks(),
    rotateSigningKey: () => keys.rotate(),
    getReadiness: oneAtATime(() => readiness(context)),
    countSessions: () => store.countSessions(clock.now()),
    getStats: () => ({
      revocationViewAgeMs: revocations.ageMs(),
      leases: leases.count(),
      waitingEvents: outbox?.waiting() ?? null,
    }),
    async start() {
      await keys.load();
      await revocations.poll();
      for (const stop of stops) stop();
      stops = [
        store.watchRevocations(() => revocations.wake()),
        every(REVOCATION_POLL_MS, () => revocations.poll()),
        every(LEASE_TICK_MS, () => leases.tick()),
        every(SIGNING_KEY_POLL_MS, () => keys.load()),
        every(PRUNE_INTERVAL_MS, () => prune(context, accessTtlMs, ({ events }) => outbox?.expired(events))),
        ...(outbox === null ? [] : [every(SECURITY_EVENTS_POLL_MS, () => outbox.deliver())]),
      ];
    },
    async close() {
      for (const stop of stops) stop();
      stops = [];
      leases.clear();
      await outbox?.close();
      await store.close();
    },
  };
}

async function issueAccessToken(context: EngineContext, id: SessionId): Promise<string> {
  const session = await liveSession(context, id);
  return (await context.accessTokens.sign(session, await ownClaims(context, session))).token;
}

async function listSessions({ store, clock }: EngineContext, actorId: string): Promise<ListedSession[]> {
  const sessions = await store.listSessions(actorId, clock.now(), SESSIONS_LISTED);
  const bound = sessions.filter(({ binding }) => binding !== null).map(({ id }) => id);
  const failures = bound.length === 0 ? null : await store.proofFailures(bound);
  return sessions.map((session) => ({ ...session, proofFailedAt: failures?.get(session.id) ?? null }));
}

async function listAlarms({ store, clock }: EngineContext, actorId: string): Promise<SessionAlarm[]> {
  const since = clock.now() - ENDED_SESSION_KEPT_MS;
  const sessions = await store.endedByReuse(actorId, since, SESSION_ALARMS_LISTED);
  return sessions.map(({ id, revokedAt, rotatedAt, client }) => {
    return { sessionId: id, endedAt: revokedAt ?? rotatedAt, client };
  });
}

/** Who asks meanwhile gets the same answer: it costs the store a write, however many ask. */
function oneAtATime<Output>(work: () => Promise<Output>): () => Promise<Output> {
  let running: Promise<Output> | null = null;
  return () => {
    running ??= work().finally(() => {
      running = null;
    });
    return running;
  };
}

async function readiness({ store, revocations }: EngineContext) {
  try {
    await store.ping();
    return { store: true, revocations: revocations.isFresh() };
  } catch (error) {
    if (error instanceof SessionError) return { store: false, revocations: revocations.isFresh() };
    throw error;
  }
}
