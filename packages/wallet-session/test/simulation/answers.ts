// Knows what goes over the lines, and says what must not be answered.
import { timingSafeEqual } from "node:crypto";
import { elapsedMs } from "../../src/clock.ts";
import type { SessionRecord } from "../../src/store.ts";
import {
  type AuthenticRefreshToken,
  hashRetryKey,
  hashSecret,
  readRefreshToken,
} from "../../src/tokens/refresh-token.ts";
import type { Keyring } from "../../src/tokens/secrets.ts";
import type { AnswerFacts, RequestFacts } from "./facts.ts";
import type { Fail } from "./failures.ts";
import type { Scheduler } from "./scheduler.ts";
import { CLOCKS_DIFFER_MS, type JudgedNode, nameOf, type Truth, type Truths } from "./truths.ts";

/** Access tokens elsewhere: docs/security.md, "How fast a revocation works". */
const LEARNS_WITHIN_MS = 1_000;

/** A request that is being answered. */
export interface Ticket {
  readonly facts: RequestFacts;
  readonly token: AuthenticRefreshToken | null;
  readonly truth: Truth | null;
  readonly node: JudgedNode;
  readonly life: string;
  readonly begunAtMs: number;
  /** At the beginning. */
  readonly generation: number;
  readonly wasRevoked: boolean;
  readonly wasBound: boolean;
  readonly isRetry: boolean;
  readonly mustRefuseAccess: string | null;
}

interface AnswersParts {
  readonly scheduler: Scheduler;
  readonly keyring: Keyring;
  readonly leewayMs: number;
  readonly truths: Truths;
  readonly fail: Fail;
}

/** All requests of a world, by the sessions that they are of. */
export class Answers {
  readonly counts = { refreshed: 0, unchanged: 0, guarded: 0 };
  readonly #parts: AnswersParts;
  /** The last moment at which the store was not well, or a node not there. */
  #troubleAtMs = 0;

  constructor(parts: AnswersParts) {
    this.#parts = parts;
  }

  /** From now on, and until this time, nodes may learn of revocations late. */
  troubleUntil(ms: number): void {
    this.#troubleAtMs = Math.max(this.#troubleAtMs, ms);
  }

  read(token: string | null): AuthenticRefreshToken | null {
    return token === null ? null : readRefreshToken(this.#parts.keyring, token);
  }

  begins(facts: RequestFacts, node: JudgedNode): Ticket {
    const token = this.read(facts.refreshToken);
    const truth = this.#parts.truths.of(token?.sessionId ?? facts.accessOf);
    return {
      facts,
      token,
      truth,
      node,
      life: node.life,
      begunAtMs: this.#parts.scheduler.nowMs,
      generation: truth?.row.generation ?? 0,
      wasRevoked: truth !== null && truth.revokedAtMs !== null,
      wasBound: truth !== null && truth.row.binding !== null,
      isRetry: truth !== null && token !== null && this.#isRetry(facts, token, truth.row, node.clock.now()),
      mustRefuseAccess: this.#whyRefused(this.#parts.truths.of(facts.accessOf), node),
    };
  }

  /** By docs/protocol.md, for the token of an unbound session whose row has gone on. */
  #isRetry(facts: RequestFacts, token: AuthenticRefreshToken, row: SessionRecord, now: number): boolean {
    if (token.generation + 1 !== row.generation) return false;
    if (row.transport === "cookie" && elapsedMs(row.rotatedAt, now) < this.#parts.leewayMs) return true;
    const { retryKeyHash } = row;
    const { retryKey } = facts;
    if (retryKey === null || retryKeyHash === null) return false;
    return this.#parts.keyring.all.some((keys) =>
      timingSafeEqual(hashRetryKey(keys, token, retryKey), retryKeyHash),
    );
  }

  #whyRefused(truth: Truth | null, node: JudgedNode): string | null {
    if (truth === null || truth.revokedAtMs === null) return null;
    const at = truth.revokedAtMs;
    if (truth.acknowledgedBy.has(node.life)) return "has acknowledged its end";
    if (node.hasReadSince(at)) return "has read of its end";
    const since = this.#parts.scheduler.nowMs - Math.max(at, node.upSinceMs, this.#troubleAtMs);
    return since > LEARNS_WITHIN_MS ? "has had a second to learn of its end" : null;
  }

  ends(ticket: Ticket, answer: AnswerFacts): void {
    if (ticket.facts.isRefresh) this.#endsRefresh(ticket, answer);
    else if (ticket.facts.isGuarded && answer.status === 200) this.#endsGuarded(ticket);
    if (answer.status < 300 && ticket.facts.ends !== null) this.#acknowledged(ticket);
  }

  #endsGuarded({ facts, mustRefuseAccess, node }: Ticket): void {
    this.counts.guarded += 1;
    const truth = this.#parts.truths.of(facts.accessOf);
    if (truth === null) return;
    if (mustRefuseAccess !== null)
      this.#parts.fail(
        "accepted after revoke",
        `an access token of ${nameOf(truth)} on ${node.name}, which ${mustRefuseAccess}`,
      );
    if (facts.isByThief && truth.row.binding?.startsWith("dpop") && !facts.hasProof)
      this.#parts.fail("bound key", `an access token of ${nameOf(truth)} without its key`);
  }

  /** The one that asked, and the others of the account where these were meant. */
  #acknowledged({ facts, truth, life, begunAtMs }: Ticket): void {
    if (truth === null) return;
    for (const other of facts.ends === "others" ? this.#parts.truths.sessions.values() : [truth]) {
      const isMeant = other === truth || other.row.actorId === truth.row.actorId;
      if (isMeant && other.revokedAtMs !== null && other.revokedAtMs >= begunAtMs)
        other.acknowledgedBy.add(life);
    }
  }

  #endsRefresh(ticket: Ticket, answer: AnswerFacts): void {
    const { truth, token, facts } = ticket;
    if (truth === null || token === null) return;
    if (answer.code === "refresh_token_reused") {
      if (truth.revokedAtMs === null)
        this.#parts.fail("theft unseen", `session ${nameOf(truth)} lives on after a reuse was answered`);
      else truth.acknowledgedBy.add(ticket.life);
    }
    const isSpent = token.generation < ticket.generation && !truth.lost;
    const mayNot = isSpent && !ticket.isRetry && !ticket.wasBound;
    if (
      answer.status === 401 &&
      // Of an unbound session, this one judges no token, and the browser asks by the other one next.
      facts.path !== "/device/refresh" &&
      mayNot &&
      truth.revokedAtMs === null &&
      truth.row.binding === null &&
      isAlive(truth, ticket)
    )
      this.#parts.fail(
        "theft unseen",
        `generation ${token.generation} of ${nameOf(truth)}, at ${ticket.generation}: ${answer.code}`,
      );
    // A page load is redirected.
    if (answer.status !== 200 && answer.refreshToken === null) return;
    if (ticket.wasRevoked && truth.revokedAtMs !== null)
      this.#parts.fail("accepted after revoke", `a refresh of ${nameOf(truth)} on ${ticket.node.name}`);
    if (mayNot)
      this.#parts.fail(
        "accepted spent",
        `generation ${token.generation} of ${nameOf(truth)}, at ${ticket.generation}`,
      );
    if (facts.isByThief && ticket.wasBound)
      this.#parts.fail("bound key", `a refresh of ${nameOf(truth)} without its key`);
    const given = this.read(answer.refreshToken);
    if (given === null) {
      if (answer.refreshToken === null && facts.path !== "/device/register") this.counts.unchanged += 1;
      return;
    }
    this.counts.refreshed += 1;
    const known = truth.secrets.get(given.generation);
    if (!truth.lost && (known === undefined || Buffer.compare(known, hashSecret(given.secret)) !== 0))
      this.#parts.fail(
        "fork",
        `generation ${given.generation} of ${nameOf(truth)} was handed out, and is another one in the store`,
      );
  }

  /** For stories. */
  describe(
    { facts, token, truth, generation, isRetry }: Ticket,
    { status, code, refreshToken }: AnswerFacts,
  ): string {
    const isSpent = token !== null && token.generation < generation;
    const what =
      token === null || !facts.isRefresh
        ? ""
        : ` with generation ${token.generation}${isSpent ? ` of ${generation}` : ""}`;
    const how = isSpent && facts.isRefresh ? (isRetry ? ", a retry" : ", spent") : "";
    const whose = truth === null ? "" : ` of ${nameOf(truth)}`;
    const given = refreshToken === null ? "" : `, generation ${this.read(refreshToken)?.generation}`;
    return `for ${facts.path}${what}${whose}${how}: ${status}${code === null ? "" : ` ${code}`}${given}`;
  }
}

/** By the clock of the node that was asked. */
function isAlive({ row }: Truth, { node }: Ticket): boolean {
  return Math.min(row.idleExpiresAt, row.expiresAt) > node.clock.now() + CLOCKS_DIFFER_MS;
}
