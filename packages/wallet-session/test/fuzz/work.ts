// Whether work grows with the length of an input alone: patterns out of the corpus are repeated to n bytes and to 4n.
import { Random } from "../simulation/random.ts";
import type { Finding, Target } from "./fuzz.ts";

/** The longest head that servers here take; a quarter of it is the other length. */
const LONG_BYTES = 16_000;
/** What is faster needs no bound, and could not be told from noise. */
const MEASURABLE_MS = 4;
/** Four times as much work is linear, sixteen times is not. */
const RATIO_MAX = 8;
const RUNS = 3;

/** Tries this many patterns. */
export async function findSuperlinear(
  target: Target,
  corpus: readonly Buffer[],
  { seed, patterns }: { readonly seed: string; readonly patterns: number },
): Promise<Finding[]> {
  const random = new Random(`work ${target.name} ${seed}`);
  const sources = [...corpus, ...target.words.map((word) => Buffer.from(word, "latin1"))];
  const findings: Finding[] = [];
  for (let tried = 0; tried < patterns; tried++) {
    const source = sources[random.below(sources.length)] ?? Buffer.of(0);
    const [from, end] = [random.below(source.length), random.below(source.length)];
    const slice = source.subarray(from, from + 1 + random.below(8));
    const piece = slice.length > 0 ? slice : Buffer.of(0x20);
    const grown = (bytes: number) =>
      Buffer.concat([source.subarray(0, from), Buffer.alloc(bytes, piece), source.subarray(end)]);
    const grows = async () => {
      const long = await leastMs(target, grown(LONG_BYTES));
      if (long < MEASURABLE_MS) return null;
      const ratio = long / (await leastMs(target, grown(LONG_BYTES / 4)));
      return ratio > RATIO_MAX ? `4 times the length took ${ratio.toFixed(1)} times as long` : null;
    };
    const why = await (async () => (await grows()) && (await grows()) && (await grows()))().catch(
      (fault: unknown) => fault,
    );
    if (why !== null) findings.push({ target: target.name, input: grown(64), why });
  }
  return findings;
}

async function leastMs(target: Target, input: Buffer): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const begun = performance.now();
    await target.run(input);
    times.push(performance.now() - begun);
  }
  return Math.min(...times);
}
