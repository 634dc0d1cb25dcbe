// Knows what the store holds, and says what must not be written.
import type { Clock } from "../../src/clock.ts";
import type { SessionEvent } from "../../src/events.ts";
import type {
  Revocation,
  RotateOutcome,
  RotationSwap,
  SessionId,
  SessionRecord,
  SessionStore,
} from "../../src/store.ts";
import type { Fail, Tell } from "./failures.ts";
import { START_MS } from "./plan.ts";
import type { Scheduler } from "./scheduler.ts";

/** As much of a node as counts here. */
export interface JudgedNode {
  readonly name: string;
  /** Names the process that runs. */
  readonly life: string;
  readonly isUp: boolean;
  readonly upSinceMs: number;
  readonly clock: Clock;
  /** Whether this process has read the revocation log as it stood at that time or later. */
  hasReadSince(ms: number): boolean;
}

/** One session, as it truly stands. */
export interface Truth {
  readonly id: SessionId;
  row: SessionRecord;
  /** Of the last generations, by number. */
  readonly secrets: Map<number, Uint8Array>;
  revokedAtMs: number | null;
  /** The life of the node that wrote it. */
  revokedBy: string | null;
  readonly acknowledgedBy: Set<string>;
  /** Somebody has tokens of it who is not its owner, and no key is needed. */
  stolen: boolean;
  /** The store has lost writes of it. */
  lost: boolean;
  /** Lives of nodes that knew of a revocation which the store has lost. */
  mustBeEndedAgainBy: ReadonlySet<string>;
  alarms: number;
}

const SECRETS_KEPT = 4;
/** A session that ends about now may count as ended or not. */
export const CLOCKS_DIFFER_MS = 5_000;
const ROW_MAX_CHARS = 1_200;

/** All sessions of a world, as they truly stand. */
export class Truths {
  readonly sessions = new Map<string, Truth>();
  readonly counts = { rotated: 0, revoked: 0, signedIn: 0, alarms: 0, repeated: 0 };
  readonly #scheduler: Scheduler;
  readonly #fail: Fail;
  readonly #tell: Tell | null;

  constructor(scheduler: Scheduler, fail: Fail, tell: Tell | null) {
    this.#scheduler = scheduler;
    this.#fail = fail;
    this.#tell = tell;
  }

  of(id: string | null | undefined): Truth | null {
    return (id && this.sessions.get(id)) || null;
  }

  /** A step of the store that has been done. */
  stored(step: string, args: readonly unknown[], result: unknown, life: string): void {
    switch (step) {
      case "createSession":
        if ((result as { outcome: string }).outcome === "created") this.#created(args[0] as SessionRecord);
        return;
      // Of a proof that came again.
      case "consumeChallenge":
        this.counts.repeated += 1;
        return;
      case "rotate":
        this.#rotated(args[0] as RotationSwap, result as RotateOutcome);
        return;
      case "revokeSession":
        if (result === true) this.#revoked(args[0] as SessionId, args[1] as Revocation, life);
        return;
      case "revokeActor":
        for (const id of result as SessionId[]) this.#revoked(id, args[1] as Revocation, life);
        return;
    }
  }

  #created(row: SessionRecord): void {
    this.counts.signedIn += 1;
    this.sessions.set(row.id, {
      id: row.id,
      row,
      secrets: new Map([[1, row.secretHash]]),
      revokedAtMs: null,
      revokedBy: null,
      acknowledgedBy: new Set(),
      stolen: false,
      lost: false,
      mustBeEndedAgainBy: new Set(),
      alarms: 0,
    });
  }

  #rotated(swap: RotationSwap, result: RotateOutcome): void {
    if (result.outcome !== "rotated") return;
    this.counts.rotated += 1;
    const truth = this.of(swap.id);
    if (truth === null) return;
    const before = truth.secrets.get(swap.generation);
    const isNext = swap.generation === truth.row.generation && before !== undefined;
    if (!isNext || Buffer.compare(before, swap.secretHash) !== 0)
      this.#fail(
        "fork",
        `session ${nameOf(truth)}: a swap from generation ${swap.generation}, at ${truth.row.generation}`,
      );
    if (truth.revokedAtMs !== null) this.#fail("accepted after revoke", `session ${nameOf(truth)} rotated`);
    truth.row = result.session;
    truth.secrets.set(swap.generation + 1, swap.nextSecretHash);
    truth.secrets.delete(swap.generation + 1 - SECRETS_KEPT);
    const isSample = truth.row.generation % 16 === 0;
    if (isSample && JSON.stringify(result.session).length > ROW_MAX_CHARS)
      this.#fail("growth", `the row of ${nameOf(truth)} at generation ${truth.row.generation}`);
  }

  #revoked(id: SessionId, { reason, revokedAt }: Revocation, life: string): void {
    const truth = this.of(id);
    if (truth === null) return;
    this.counts.revoked += 1;
    truth.revokedAtMs = this.#scheduler.nowMs;
    truth.revokedBy = life;
    truth.row = { ...truth.row, revokedAt, revokedReason: reason };
    this.#tell?.(`session ${nameOf(truth)} is ended: ${reason}`);
    if (reason === "reuse" && !truth.stolen)
      this.#fail(
        "false alarm",
        `session ${nameOf(truth)} is ended for reuse, and nobody has stolen anything`,
      );
  }

  async storeHasLost(contents: SessionStore, nodes: readonly JudgedNode[]): Promise<void> {
    for (const truth of this.sessions.values()) {
      const row = await contents.findSession(truth.id);
      if (row === null || row.generation !== truth.row.generation) truth.lost = true;
      if (row === null) continue;
      if (truth.revokedAtMs !== null && row.revokedAt === null) {
        const at = truth.revokedAtMs;
        const know = nodes.filter(
          (node) => node.isUp && (node.hasReadSince(at) || truth.acknowledgedBy.has(node.life)),
        );
        truth.mustBeEndedAgainBy = new Set(know.map(({ life }) => life));
        truth.revokedAtMs = null;
        truth.acknowledgedBy.clear();
        truth.alarms = 0;
      }
      truth.row = row;
      for (const generation of truth.secrets.keys()) {
        if (generation > row.generation) truth.secrets.delete(generation);
      }
      truth.secrets.set(row.generation, row.secretHash);
    }
  }

  event(event: SessionEvent): void {
    if (event.type !== "reuse_detected") return;
    this.counts.alarms += 1;
    const truth = this.of(event.sessionId);
    if (truth === null) return;
    truth.alarms += 1;
    if (truth.alarms > 1) this.#fail("false alarm", `${truth.alarms} alarms of ${nameOf(truth)}`);
  }

  isPastEnd({ row }: Truth): boolean {
    return Math.min(row.idleExpiresAt, row.expiresAt) <= START_MS + this.#scheduler.nowMs + CLOCKS_DIFFER_MS;
  }
}

/** Short, for stories. */
export function nameOf({ id, row }: Truth): string {
  return `${id.slice(0, 6)} (${row.transport}${row.binding === null ? "" : ", bound"})`;
}
