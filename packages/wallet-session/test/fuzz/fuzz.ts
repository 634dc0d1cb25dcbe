// A coverage-guided fuzzer: inputs that reach new code are kept, and the next ones are made of them.
import { Random } from "../simulation/random.ts";
import type { Coverage } from "./coverage.ts";
import { mutate } from "./mutate.ts";

/** A parser of what strangers send. */
export interface Target {
  readonly name: string;
  /** What the search begins with: authentic inputs, and likely ones. */
  readonly seeds: readonly (string | Uint8Array)[];
  /** Words of the grammar, which chance would take long to find. */
  readonly words: readonly string[];
  readonly maxBytes: number;
  /**
   * Hands the input to the parser. Returns in a word or two how it was taken; inputs that are taken in a new way are kept.
   * @throws where the parser does what it must not
   */
  run(input: Buffer): string | Promise<string>;
}

export interface Finding {
  readonly target: string;
  readonly input: Buffer;
  readonly why: unknown;
}

export interface Fuzzed {
  readonly tried: number;
  /** The smallest inputs that reach all that was reached. */
  readonly corpus: readonly Buffer[];
  readonly blocks: number;
  readonly findings: readonly Finding[];
}

/** Between two looks at the coverage, since a look costs as much as hundreds of inputs. */
const BATCH = 256;
const FINDINGS_MAX = 5;
const TRIM_TRIES = 32;

interface FuzzOptions {
  readonly target: Target;
  readonly corpus: readonly Uint8Array[];
  readonly coverage: Pick<Coverage, "take">;
  readonly seed: string;
  readonly goesOn: (tried: number) => boolean;
}

/** Tries inputs as long as `goesOn` says. The same seed and corpus try the same inputs. */
export async function fuzz({ target, corpus, coverage, seed, goesOn }: FuzzOptions): Promise<Fuzzed> {
  const random = new Random(`${target.name} ${seed}`);
  const words = target.words.map((word) => Buffer.from(word, "latin1"));
  const findings: Finding[] = [];
  const kept: Buffer[] = [];
  const seen = new Set<string>();
  let tried = 0;

  async function run(input: Buffer): Promise<string> {
    tried += 1;
    try {
      return `taken as ${await target.run(input)}`;
    } catch (why) {
      const isNew = !findings.some((known) => String(known.why) === String(why));
      if (isNew && findings.length < FINDINGS_MAX) findings.push({ target: target.name, input, why });
      return `fault: ${why}`;
    }
  }

  /** All that these inputs reach. */
  async function reach(inputs: readonly Buffer[]): Promise<Set<string>> {
    const outcomes = new Set<string>();
    for (const input of inputs) outcomes.add(await run(input));
    return new Set([...(await coverage.take()), ...outcomes]);
  }

  const newIn = (reached: ReadonlySet<string>) => [...reached].filter((block) => !seen.has(block));

  /** Keeps those that reach something new: halves the batch until they are found. */
  async function explore(inputs: readonly Buffer[]): Promise<void> {
    const [first, ...others] = inputs;
    if (first === undefined) return;
    const news = newIn(await reach(inputs));
    if (news.length === 0) return;
    if (others.length === 0) {
      for (const block of news) seen.add(block);
      kept.push(await trimmed(first, news));
      return;
    }
    const half = inputs.length >> 1;
    await explore(inputs.slice(0, half));
    await explore(inputs.slice(half));
    // What only happens once, such as a function that is compiled, is found in neither half.
    for (const block of news) seen.add(block);
  }

  /** Without the parts that it does not take to reach these blocks. */
  async function trimmed(input: Buffer, news: readonly string[]): Promise<Buffer> {
    let least = input;
    for (let [size, tries] = [input.length >> 1, TRIM_TRIES]; size > 0 && tries > 0; size >>= 1) {
      for (let at = 0; at + size <= least.length && tries > 0; tries--) {
        const shorter = Buffer.concat([least.subarray(0, at), least.subarray(at + size)]);
        const reached = await reach([shorter]);
        if (news.every((block) => reached.has(block))) least = shorter;
        else at += size;
      }
    }
    return least;
  }

  await coverage.take();
  const given = [...corpus, ...target.seeds.map((text) => Buffer.from(text as string, "latin1"))];
  for (const input of given) await explore([Buffer.from(input)]);
  kept.push(...given.map((input) => Buffer.from(input)));
  while (goesOn(tried) && findings.length < FINDINGS_MAX) {
    const material = { words, others: kept, maxBytes: target.maxBytes };
    const next = () => mutate(kept[random.below(kept.length)] ?? Buffer.alloc(0), random, material);
    await explore(Array.from({ length: BATCH }, next));
  }
  return { tried, corpus: await smallest(kept, reach), blocks: seen.size, findings };
}

/** The shortest first, each of which reaches something that no shorter one does. */
async function smallest(
  inputs: readonly Buffer[],
  reach: (inputs: readonly Buffer[]) => Promise<Set<string>>,
) {
  const left: Buffer[] = [];
  const covered = new Set<string>();
  for (const input of inputs.toSorted((a, b) => a.length - b.length || a.compare(b))) {
    const before = covered.size;
    for (const block of await reach([input])) covered.add(block);
    if (covered.size > before) left.push(input);
  }
  return left;
}
