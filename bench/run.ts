// npm run bench: what the engine costs beside the least that any server must do, measured side by side in one run.
import { count } from "./measure.ts";
import { rotations } from "./rotations.ts";
import { garbage, verification } from "./tokens.ts";

const ROUNDS = 7;

function row(what: string, figure: string, aim: string): void {
  console.log(`${what.padEnd(62)} ${figure.padStart(10)}   ${aim}`);
}

console.log(`Node ${process.version}, medians of ${ROUNDS} rounds, ours and the bare operation in turn.\n`);

const rotated = await rotations(ROUNDS);
row(
  "Rotations on SQLite, 32 in flight / bare swap in groups of 32",
  rotated.rotate.ratio.toFixed(2),
  "aim: at least 0.60",
);
row("  ours, per second", count(rotated.rotate.ours), "");
row("  bare, per second", count(rotated.rotate.bare), "");
row("Refreshes, with a signed access token / the same bare swap", rotated.refresh.ratio.toFixed(2), "");
row("  ours, per second", count(rotated.refresh.ours), "");

const refused = await garbage(ROUNDS);
row("Garbage tokens refused per second on one core", count(refused.perSecond), "aim: 100,000");
row("  calls of the store meanwhile", String(refused.storeCalls), "aim: 0");

const { unseen, unseenInFlight, seenMicroseconds, mapMicroseconds } = await verification(ROUNDS);
row(
  "Access token not seen before / verify of node:crypto, time",
  (1 / unseen.ratio).toFixed(2),
  "aim: at most 1.60",
);
row("  the same with 32 in flight", (1 / unseenInFlight.ratio).toFixed(2), "aim: at most 1.60");
row("Access token seen before, microseconds", seenMicroseconds.toFixed(2), "aim: under 10");
row("  of these a look-up in a bare map", mapMicroseconds.toFixed(2), "");
