import { systemClock } from "../clock.ts";
import { prune } from "../engine/prune.ts";
import type { PruneCounts } from "../store.ts";
import { EXIT, type ExitCode, type Invocation } from "./command.ts";
import { accessTtlMs, withStore } from "./settings.ts";
import { count } from "./table.ts";
import { progress } from "./terminal.ts";

/** `prune`: deletes what nobody can need any more, until nothing of it is left. */
export async function pruneAll({ terminal, options }: Invocation): Promise<ExitCode> {
  const ttlMs = accessTtlMs(terminal);
  const tell = progress(terminal);
  let total: PruneCounts = { sessions: 0, challenges: 0, revocations: 0, events: 0 };
  await withStore(terminal, (store) =>
    prune({ store, clock: systemClock }, ttlMs, (counts) => {
      total = sum(total, counts);
      tell(() => `Deleted so far: ${inWords(total)}.`);
    }),
  );
  terminal.out(options.json === true ? JSON.stringify(total) : `Deleted ${inWords(total)}.`);
  return EXIT.ok;
}

function sum(a: PruneCounts, b: PruneCounts): PruneCounts {
  return {
    sessions: a.sessions + b.sessions,
    challenges: a.challenges + b.challenges,
    revocations: a.revocations + b.revocations,
    events: a.events + b.events,
  };
}

function inWords({ sessions, challenges, revocations, events }: PruneCounts): string {
  const parts = [
    count(sessions, "ended session"),
    count(challenges, "used challenge"),
    count(revocations, "old revocation"),
    count(events, "old event"),
  ];
  return parts.join(", ");
}
