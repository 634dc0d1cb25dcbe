import { REDIS_ROTATIONS_MAX } from "../../limits.ts";
import type { RotateOutcome, RotationSwap, SessionId } from "../../store.ts";
import type { Reply } from "./driver.ts";
import * as rows from "./rows.ts";
import type { Answer } from "./runner.ts";

interface Waiting {
  readonly id: SessionId;
  readonly key: Buffer;
  readonly swap: Buffer;
  readonly resolve: (outcome: RotateOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** Runs the script over as many sessions as swaps. */
export type RunRotations = (keys: readonly Buffer[], swaps: readonly Buffer[]) => Promise<Answer>;

/**
 * Rotations that were asked for in one turn of the event loop go in one script: a command costs the server and the driver
 * more than the swap does. They run in the order in which they came, each by itself: what one of them meets is answered to
 * that one. A script that fails, fails for all of them, since nobody knows then what it has done.
 *
 * A full script goes at once, and what comes after it a turn later: so the server is at work on the one while the other is
 * made, and neither waits for both.
 */
export class Rotations {
  readonly #run: RunRotations;
  #waiting: Waiting[] = [];
  #turn: "idle" | "gathering" | "sent" = "idle";

  constructor(run: RunRotations) {
    this.#run = run;
  }

  /** @throws RangeError for a swap that the row has no room for */
  add(id: SessionId, key: Buffer, swap: RotationSwap): Promise<RotateOutcome> {
    const encoded = rows.encodeSwap(swap);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ id, key, swap: encoded, resolve, reject });
      if (this.#turn === "idle") this.#beginTurn();
      if (this.#turn === "gathering" && this.#waiting.length === REDIS_ROTATIONS_MAX) this.#send();
    });
  }

  #beginTurn(): void {
    this.#turn = "gathering";
    setImmediate(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    if (this.#turn === "gathering") this.#send();
    if (this.#waiting.length > 0) this.#beginTurn();
    else this.#turn = "idle";
  };

  #send(): void {
    this.#turn = "sent";
    this.#sendTogether(this.#waiting.splice(0, REDIS_ROTATIONS_MAX));
  }

  async #sendTogether(waiting: readonly Waiting[]): Promise<void> {
    try {
      const { reply, resent } = await this.#run(
        waiting.map(({ key }) => key),
        waiting.map(({ swap }) => swap),
      );
      const replies = rows.list(reply);
      for (const [index, each] of waiting.entries()) settle(each, replies[index], resent);
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}

function settle({ id, swap, resolve, reject }: Waiting, reply: Reply | undefined, resent: boolean): void {
  try {
    resolve(outcomeOf(id, swap, reply, resent));
  } catch (error) {
    reject(error);
  }
}

/** @throws when the row is not one that the store has written */
function outcomeOf(id: SessionId, swap: Buffer, reply: Reply | undefined, resent: boolean): RotateOutcome {
  if (reply === null) return { outcome: "unknown" };
  const [swapped, found] = rows.list(reply);
  const row = rows.bytes(found);
  const session = rows.decodeSession(id, row);
  // Sent twice, the second time meets what the first has written.
  const wasOurs = resent && rows.isLeftBy(swap, row);
  return { outcome: swapped === 1 || wasOurs ? "rotated" : "unmatched", session };
}
