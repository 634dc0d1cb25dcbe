import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const fileOf = (target: string) => join(import.meta.dirname, "corpus", `${target}.txt`);

/** The inputs that are kept for a target: one a line, as a JSON string whose characters are bytes. */
export function readCorpus(target: string): Buffer[] {
  const file = fileOf(target);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  return lines.map((line) => Buffer.from(JSON.parse(line), "latin1"));
}

export function writeCorpus(target: string, inputs: readonly Buffer[]): void {
  writeFileSync(fileOf(target), inputs.map((input) => `${quoted(input)}\n`).join(""));
}

/** In ASCII. */
export function quoted(input: Buffer): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(input.toString("latin1")).replace(/[\x7f-\xff]/g, escaped);
}
