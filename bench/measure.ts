/** What one round did, and how long it took. */
export interface Round {
  readonly operations: number;
  readonly seconds: number;
}

/** Operations per second of each contender, and the median of their ratios, round by round. */
export interface Comparison {
  readonly ours: number;
  readonly bare: number;
  readonly ratio: number;
}

/** Times one round by the wall clock: the machine may be shared, so only what was measured side by side is compared. */
export async function timed(operations: number, run: () => Promise<void> | void): Promise<Round> {
  const begun = process.hrtime.bigint();
  await run();
  return { operations, seconds: Number(process.hrtime.bigint() - begun) / 1e9 };
}

/** Times work of one thread by what it used of a core, whatever else the machine was doing. */
export async function onOneCore(operations: number, run: () => Promise<void>): Promise<Round> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return { operations, seconds: (user + system) / 1e6 };
}

/** Rounds that do not count: until then the compiler is still at work on ours, which is more code than the bare one. */
const WARM_UP_ROUNDS = 5;

/** Runs both in turn, A B A B. */
export async function compare(
  rounds: number,
  ours: () => Promise<Round>,
  bare: () => Promise<Round>,
): Promise<Comparison> {
  const pairs: { ours: number; bare: number }[] = [];
  for (let round = 0; round < WARM_UP_ROUNDS + rounds; round += 1) {
    const pair = { ours: perSecond(await ours()), bare: perSecond(await bare()) };
    if (round >= WARM_UP_ROUNDS) pairs.push(pair);
  }
  return {
    ours: median(pairs.map((pair) => pair.ours)),
    bare: median(pairs.map((pair) => pair.bare)),
    ratio: median(pairs.map((pair) => pair.ours / pair.bare)),
  };
}

export function perSecond({ operations, seconds }: Round): number {
  return operations / seconds;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] =
    sorted.length % 2 === 1 ? [sorted[middle], sorted[middle]] : [sorted[middle - 1], sorted[middle]];
  return (low + high) / 2;
}

export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
