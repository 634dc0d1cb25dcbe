import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { root } from "../setup/root.mjs";
import { noPostgres, noRedis, startRedisWhereNoneAnswers } from "../setup/services.ts";
import { type Mutant, mutated } from "./mutants.ts";
import type { Failure } from "./run-once.ts";

const AT_ONCE = 2;
/** Far more than any of them takes on a busy machine. Of the tests of all mutants, without one. */
const LIMITS_MS = { mutant: 120_000, none: 600_000 };

interface Verdict {
  readonly isSeen: boolean;
  readonly words: string;
}

interface Tally {
  readonly tried: number;
  /** The names of those that no test has seen; `no mutant` where a test fails without one. */
  readonly survivors: readonly string[];
}

/**
 * Tries each mutant, two at a time, and tells a line of each. Before, it runs their tests without any.
 * @throws where a mutant does not fit the sources any more
 */
export async function runMutants(mutants: readonly Mutant[], tell: (line: string) => void): Promise<Tally> {
  for (const mutant of mutants) mutated(mutant);
  const stopRedis = await startRedisWhereNoneAnswers();
  try {
    const waiting = await thatCanRun(mutants, tell);
    const tried = waiting.length;
    const baseline = await run(null, [...new Set(waiting.flatMap(({ tests }) => tests))]);
    if (baseline !== null) {
      tell(`A test fails without any mutant: ${baseline.where}: ${baseline.words}`);
      return { tried: 0, survivors: ["no mutant"] };
    }
    const survivors: string[] = [];
    const widths = [waiting.map(({ name }) => name), waiting.map(({ breaks }) => breaks)].map((texts) => {
      return Math.max(0, ...texts.map(({ length }) => length));
    });
    const takeTurns = async () => {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        const begun = performance.now();
        const { isSeen, words } = verdictOn(mutant, await run(mutant, mutant.tests));
        if (!isSeen) survivors.push(mutant.name);
        const seconds = ((performance.now() - begun) / 1_000).toFixed(1).padStart(5);
        const [name, breaks] = [mutant.name, mutant.breaks].map((text, at) => text.padEnd(widths[at] ?? 0));
        tell(`${name}  ${breaks}  ${seconds} s  ${words}`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, takeTurns));
    return { tried, survivors };
  } finally {
    stopRedis();
  }
}

/** All but those of stores whose servers are missing here. */
async function thatCanRun(mutants: readonly Mutant[], tell: (line: string) => void): Promise<Mutant[]> {
  const missing: string[] = [];
  for (const [store, note] of [
    ["postgres", await noPostgres()],
    ["redis", await noRedis()],
  ] as const) {
    if (note === null) continue;
    tell(`The mutants of that store are left out. ${note}`);
    missing.push(`/${store}`);
  }
  return mutants.filter(({ tests }) => !missing.some((store) => tests.some((test) => test.includes(store))));
}

function verdictOn({ hangs }: Mutant, failure: Failure | null): Verdict {
  if (failure === null) return { isSeen: false, words: "SURVIVED: no test has seen it" };
  const { where, words, kind } = failure;
  if (kind === "assertion") return { isSeen: true, words: `${where}: ${words}` };
  if (kind === "timeout" && hangs) return { isSeen: true, words: `${where}: does not end` };
  return { isSeen: false, words: `NOT TRIED, since something else failed: ${where}: ${words}` };
}

/** The first failure of these tests, in a process of their own; null where all pass. */
async function run(mutant: Mutant | null, tests: readonly string[]): Promise<Failure | null> {
  const child = fork(fileURLToPath(import.meta.resolve("./run-once.ts")), [mutant?.name ?? "", ...tests], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let complaints = "";
  child.stderr?.on("data", (text) => {
    complaints += text;
  });
  let failure: Failure | null = { where: "the run", words: "it did not end in time", kind: "timeout" };
  child.once("message", (message) => {
    ({ failure } = message as { failure: Failure | null });
    child.kill("SIGKILL");
  });
  const limit = setTimeout(() => child.kill("SIGKILL"), LIMITS_MS[mutant === null ? "none" : "mutant"]);
  const [code] = await once(child, "close");
  clearTimeout(limit);
  return code === null ? failure : { where: "the run", words: complaints.slice(0, 500), kind: "other" };
}
