import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../setup/root.mjs";

/** Where the paths in the lists begin. */
export const SOURCES = join(root, "packages/wallet-session/src");

/** A fault that is put into the product: one of the tests must see it. */
export interface Mutant {
  readonly name: string;
  /** The rule that no longer holds, in plain words. */
  readonly breaks: string;
  readonly file: string;
  readonly tests: readonly string[];
  /** Something does not end any more, so that a test that waits for it until its own time is over has seen it. */
  readonly hangs: boolean;
  /** Stands once in the file, and is replaced by `to`. */
  readonly from: string;
  readonly to: string;
}

/** Of all lists, which are beside this file. */
export const MUTANTS: readonly Mutant[] = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".txt"))
  .flatMap((file) => readMutants(readFileSync(join(import.meta.dirname, file), "utf8")));

/**
 * A list has a line `= FILE: TEST…` and below it the mutants of that file: a line `# NAME: RULE`, or `# NAME (hangs): RULE`, and
 * then as in a diff, without the indent of the first line, what goes and what comes instead.
 * @throws for any other line
 */
export function readMutants(text: string): Mutant[] {
  const mutants: { -readonly [Member in keyof Mutant]: Mutant[Member] }[] = [];
  let [file, tests]: [string, string[]] = ["", []];
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const [mark, rest] = [line.slice(0, 2), line.slice(2)];
    const [, head = "", hangs, words = ""] = /^(\S+?)( \(hangs\))?: (.*)$/.exec(rest) ?? [];
    const last = mutants.at(-1);
    if (mark === "= ") [file, tests] = [head, words.split(" ")];
    else if (mark === "# ")
      mutants.push({ name: head, breaks: words, file, tests, hangs: hangs !== undefined, from: "", to: "" });
    else if (mark === "- " && last) last.from += last.from === "" ? rest : `\n${rest}`;
    else if (mark === "+ " && last) last.to += last.to === "" ? rest : `\n${rest}`;
    else throw new Error(`This is no line of a list of mutants: ${line}`);
  }
  return mutants;
}

/** The source with the fault in it. @throws where the text that it replaces does not stand once in the file */
export function mutated({ name, file, from, to }: Mutant): string {
  const parts = readFileSync(join(SOURCES, file), "utf8").split(from);
  if (parts.length === 2) return parts.join(to);
  throw new Error(
    `${name}: its text stands ${parts.length - 1} times in ${file}, and must stand there once.`,
  );
}
