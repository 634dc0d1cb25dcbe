import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { addTo, emptyTally, type Tally } from "../../packages/wallet-session/test/simulation/worlds.ts";
import { root } from "../setup/root.mjs";

/** Worlds until there were so many refreshes, in a process for each core. `isWhole`: each process came to its end. */
export async function simulateOnAllCores(
  refreshes: number,
  seed: string,
): Promise<{ tally: Tally; isWhole: boolean }> {
  const processes = availableParallelism();
  const each = String(Math.ceil(refreshes / processes));
  const tally = emptyTally();
  const shares = Array.from({ length: processes }, (_, index) => {
    const args = ["--refreshes", each, "--seed", seed, "--share", `${index}/${processes}`];
    const child = fork(join(root, "scripts/simulate.ts"), args);
    child.on("message", (share) => addTo(tally, share as Tally));
    return new Promise<number | null>((resolve) => void child.on("close", resolve));
  });
  return { tally, isWhole: (await Promise.all(shares)).every((code) => code === 0) };
}
