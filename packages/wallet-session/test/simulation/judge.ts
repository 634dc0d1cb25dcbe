// Says what must not be in a world: of what the store holds, of what is answered, and of what clients say of their sessions.
import type { Keyring } from "../../src/tokens/secrets.ts";
import { Answers } from "./answers.ts";
import type { Fail, Failure, Tell } from "./failures.ts";
import type { Scheduler } from "./scheduler.ts";
import { type JudgedNode, nameOf, Truths } from "./truths.ts";

export class Judge {
  readonly failures: Failure[] = [];
  readonly truths: Truths;
  readonly answers: Answers;
  readonly #tell: Tell | null;

  constructor(scheduler: Scheduler, keyring: Keyring, leewayMs: number, tell: Tell | null) {
    this.#tell = tell;
    const { fail } = this;
    this.truths = new Truths(scheduler, fail, tell);
    this.answers = new Answers({ scheduler, keyring, leewayMs, truths: this.truths, fail });
  }

  get counts() {
    return { ...this.truths.counts, ...this.answers.counts };
  }

  readonly fail: Fail = (kind, words) => {
    this.failures.push({ kind, words });
    this.#tell?.(`WRONG (${kind}): ${words}`);
  };

  /** A client says that its session is over. */
  signedOut(who: string, sessionId: string | undefined, reason: string): void {
    const truth = this.truths.of(sessionId);
    this.#tell?.(`${who} is signed out: ${reason}`);
    const mayEnd = truth === null || truth.lost || truth.stolen || truth.revokedAtMs !== null;
    if (mayEnd || this.truths.isPastEnd(truth)) return;
    this.fail("false end", `${who} is signed out of ${nameOf(truth)}, which lives: ${reason}`);
  }

  /** When all is calm again. */
  concludes(nodes: readonly JudgedNode[]): void {
    const lives = new Set(nodes.map(({ life }) => life));
    for (const truth of this.truths.sessions.values()) {
      const { mustBeEndedAgainBy, revokedAtMs, row } = truth;
      if (
        revokedAtMs === null &&
        !this.truths.isPastEnd(truth) &&
        [...mustBeEndedAgainBy].some((life) => lives.has(life))
      )
        this.fail("lost revocation", `session ${nameOf(truth)} lives again`);
      const mustTell = row.revokedReason === "reuse" && !truth.lost && lives.has(truth.revokedBy ?? "");
      if (mustTell && revokedAtMs !== null && truth.alarms === 0)
        this.fail("theft unseen", `session ${nameOf(truth)} was ended for reuse, and no alarm was raised`);
    }
  }
}
