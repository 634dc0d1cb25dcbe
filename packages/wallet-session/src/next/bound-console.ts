import type { Every } from "../engine/timers.ts";
import { isError } from "../foreign-errors.ts";
import { LOG_LINES_PER_WINDOW, LOG_WINDOW_MS } from "../limits.ts";

/** Kinds of lines that are told apart; all others are one. */
const KINDS_MAX = 100;
const KIND_MAX_CHARS = 40;

/**
 * Bounds what `console.error` and `console.warn` write: of lines of one kind the first 50 in ten seconds, and of the rest the
 * number. Next reports there what a stranger's request makes it throw, once for each, and asks nobody first.
 */
export function boundConsole(console: Pick<Console, "error" | "warn">, every: Every): void {
  const counts = new Map<string, number>();

  function isOneMore(line: readonly unknown[]): boolean {
    const kind = kindOf(line);
    const counted = counts.has(kind) || counts.size < KINDS_MAX ? kind : "others";
    const count = (counts.get(counted) ?? 0) + 1;
    counts.set(counted, count);
    return count > LOG_LINES_PER_WINDOW;
  }

  const { error, warn } = console;
  console.error = (...line: unknown[]) => {
    if (!isOneMore(line)) error.apply(console, line);
  };
  console.warn = (...line: unknown[]) => {
    if (!isOneMore(line)) warn.apply(console, line);
  };

  every(LOG_WINDOW_MS, async () => {
    for (const [kind, count] of counts) {
      const dropped = count - LOG_LINES_PER_WINDOW;
      if (dropped > 0) warn.call(console, `${dropped} more lines like this were left out: ${kind}`);
    }
    counts.clear();
  });
}

/** Where an error was made, since its message may be in the sender's own words; the beginning of anything else. */
function kindOf(line: readonly unknown[]): string {
  const error = line.find(isError);
  if (error === undefined) return line.map(String).join(" ").slice(0, KIND_MAX_CHARS);
  const [made = ""] = /^ +at .*$/m.exec(error.stack ?? "") ?? [];
  return error.name + made;
}
