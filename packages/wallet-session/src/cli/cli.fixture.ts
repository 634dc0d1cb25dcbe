import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { SessionStore } from "../store.ts";
import { openSqliteStore } from "../stores/sqlite.ts";
import { run } from "./run.ts";

export const SECRET = "the first secret of the tests of commands that is long enough";

export interface CommandLine {
  readonly code: number;
  /** Standard output and standard error, by lines. */
  readonly out: readonly string[];
  readonly notes: readonly string[];
  readonly questions: readonly string[];
}

type Env = Readonly<Record<string, string | undefined>>;

/** Runs one command line as a person would type it. `answer`: his, where he is asked; left out, nobody is there. */
export async function type(line: string, env: Env = {}, answer: boolean | null = null): Promise<CommandLine> {
  const out: string[] = [];
  const notes: string[] = [];
  const questions: string[] = [];
  const code = await run(line.split(" ").filter(Boolean), {
    env,
    out: (text) => out.push(...text.split("\n")),
    note: (text) => notes.push(...text.split("\n")),
    async confirm(question) {
      questions.push(question);
      return answer;
    },
  });
  return { code, out, notes, questions };
}

/** The settings of a store in a file that is gone after the test, and what a server would have open on it. */
export function storeInFile(): { env: Env; path: string; store: SessionStore } {
  const directory = mkdtempSync(join(tmpdir(), "wallet-session-cli-"));
  const path = join(directory, "sessions.db");
  const store = openSqliteStore({ path });
  onTestFinished(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });
  return { env: { DATABASE_URL: `sqlite:${path}`, AUTH_SECRET: SECRET }, path, store };
}
