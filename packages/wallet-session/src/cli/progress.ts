import type { Terminal } from "./terminal.ts";

const EVERY_MS = 1_000;

/** Notes how far long work has come, once a second at most; what is over sooner notes nothing. */
export function progress(terminal: Terminal): (line: () => string) => void {
  let notedAt = Date.now();
  return (line) => {
    if (Date.now() - notedAt < EVERY_MS) return;
    notedAt = Date.now();
    terminal.note(line());
  };
}
