import { systemClock } from "../clock.ts";
import { prune } from "../engine/prune.ts";
import type { PruneCounts } from "../store.ts";
import { EXIT, type ExitCode, type Invocation } from "./command.ts";
import { accessTtlMs, withStore } from "./settings.ts";
import { count } from "./table.ts";
import { progress } from "./terminal.ts";

const WORDS = {
  sessions: "ended session",
  challenges: "used challenge",
  revocations: "old revocation",
  events: "old event",
} as const satisfies Record<keyof PruneCounts, string>;
const KINDS = Object.keys(WORDS) as (keyof PruneCounts)[];

/** `prune`: deletes what nobody can need any more, until nothing of it is left. */
export async function pruneAll({ terminal, options }: Invocation): Promise<ExitCode> {
  const ttlMs = accessTtlMs(terminal);
  const tell = progress(terminal);
  const total = { sessions: 0, challenges: 0, revocations: 0, events: 0 };
  await withStore(terminal, (store) =>
    prune({ store, clock: systemClock }, ttlMs, (counts) => {
      for (const kind of KINDS) total[kind] += counts[kind];
      tell(() => `Deleted so far: ${inWords(total)}.`);
    }),
  );
  terminal.out(options.json === true ? JSON.stringify(total) : `Deleted ${inWords(total)}.`);
  return EXIT.ok;
}

function inWords(total: PruneCounts): string {
  return KINDS.map((kind) => count(total[kind], WORDS[kind])).join(", ");
}
