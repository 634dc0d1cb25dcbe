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

/**
 * Rotations that were asked for in one turn of the event loop go in one script: a command costs the server and the driver
 * more than the swap does. They run in the order in which they came, each by itself: what one of them meets is answered to
 * that one. A script that fails, fails for all of them, since nobody knows then what it has done.
 *
 * A full script goes at once, and what comes after it a turn later: so the server is at work on the one while the other is
 * made, and neither waits for both.
 * @param run runs the script over as many sessions as swaps
 */
export function createRotations(run: (keys: readonly Buffer[], swaps: readonly Buffer[]) => Promise<Answer>) {
  const waiting: Waiting[] = [];
  let turn: "idle" | "gathering" | "sent" = "idle";

  function beginTurn(): void {
    turn = "gathering";
    setImmediate(endTurn);
  }

  function endTurn(): void {
    if (turn === "gathering") send();
    if (waiting.length > 0) beginTurn();
    else turn = "idle";
  }

  function send(): void {
    turn = "sent";
    void sendTogether(waiting.splice(0, REDIS_ROTATIONS_MAX));
  }

  async function sendTogether(together: readonly Waiting[]): Promise<void> {
    try {
      const { reply, resent } = await run(
        together.map(({ key }) => key),
        together.map(({ swap }) => swap),
      );
      const replies = rows.list(reply);
      for (const [index, each] of together.entries()) settle(each, replies[index], resent);
    } catch (error) {
      for (const { reject } of together) reject(error);
    }
  }

  /** @throws RangeError for a swap that the row has no room for */
  return (id: SessionId, key: Buffer, swap: RotationSwap): Promise<RotateOutcome> => {
    const encoded = rows.encodeSwap(swap);
    return new Promise((resolve, reject) => {
      waiting.push({ id, key, swap: encoded, resolve, reject });
      if (turn === "idle") beginTurn();
      if (turn === "gathering" && waiting.length === REDIS_ROTATIONS_MAX) send();
    });
  };
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
