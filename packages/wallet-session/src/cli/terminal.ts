import { createInterface } from "node:readline/promises";

/** What a command knows of where it runs. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What was asked for. Nothing else goes there, so that it can be piped on. */
  out(line: string): void;
  /** What a person at the terminal should know besides: progress, warnings, errors. */
  note(line: string): void;
  /** Asks a yes or no question. Null: nobody is there who could answer. */
  confirm(question: string): Promise<boolean | null>;
}

export function processTerminal(): Terminal {
  // The reader has seen enough, as `head` has.
  process.stdout.on("error", () => process.exit(0));
  return {
    env: process.env,
    out: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(`${line}\n`),
    async confirm(question) {
      if (!process.stdin.isTTY || !process.stderr.isTTY) return null;
      const readline = createInterface({ input: process.stdin, output: process.stderr });
      // Ctrl-C and Ctrl-D reject: both are a no.
      const answer = await readline.question(`${question} [y/N] `).catch(() => "");
      readline.close();
      return /^y(es)?$/i.test(answer.trim());
    },
  };
}

const PROGRESS_EVERY_MS = 1_000;

/** Notes the progress of long work, once a second at most. Work that is done sooner notes nothing. */
export function progress(terminal: Terminal): (line: () => string) => void {
  let notedAt = Date.now();
  return (line) => {
    if (Date.now() - notedAt < PROGRESS_EVERY_MS) return;
    notedAt = Date.now();
    terminal.note(line());
  };
}
