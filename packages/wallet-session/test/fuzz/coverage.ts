import type { Profiler } from "node:inspector";
import { Session } from "node:inspector/promises";

/** The places of the code that have run since the last time this was asked. */
export interface Coverage {
  take(): Promise<ReadonlySet<string>>;
  /** The process is as fast as before. */
  stop(): Promise<void>;
}

/** Where the parsers are. */
const OF_PARSERS = /\/(?:packages\/wallet-session\/src|node_modules\/@stellar\/js-xdr)\//;

/** V8's own counts, of this process. Not beside another user of them, such as the tests under `--coverage`. */
export async function startCoverage(): Promise<Coverage> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  const places = new Map<string, Set<number>>();
  return {
    async take() {
      const { result } = await session.post("Profiler.takePreciseCoverage");
      const scripts = result.filter(({ url }) => OF_PARSERS.test(url));
      return new Set(scripts.flatMap((script) => covered(script, places)));
    },
    async stop() {
      await session.post("Profiler.stopPreciseCoverage");
      session.disconnect();
    },
  };
}

/**
 * V8 tells ranges, from the outer to the inner, and leaves out those that ran as often as what is around them: so it is asked of
 * each border that any answer has named, whether it has run.
 */
function covered(
  { scriptId, functions }: Profiler.ScriptCoverage,
  known: Map<string, Set<number>>,
): string[] {
  const borders = known.get(scriptId) ?? new Set();
  known.set(scriptId, borders);
  const ranges = functions.flatMap((one) => one.ranges);
  for (const { startOffset } of ranges) borders.add(startOffset);
  const innermost = (at: number) =>
    ranges.findLast(({ startOffset, endOffset }) => startOffset <= at && at < endOffset);
  return [...borders].filter((at) => (innermost(at)?.count ?? 0) > 0).map((at) => `${scriptId}:${at}`);
}
