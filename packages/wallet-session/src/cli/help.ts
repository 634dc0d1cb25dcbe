import { COMMON_OPTIONS, type Command } from "./command.ts";
import { COMMANDS } from "./commands.ts";

const WIDTH = 100;

/** `wallet-session --help`. */
export function overview(): string {
  const rows = COMMANDS.map(({ name, summary }) => [name, summary] as const);
  return [
    "Sessions for people who sign in with a wallet.",
    "",
    "Usage: wallet-session COMMAND [OPTION…]",
    "",
    ...table(rows),
    "",
    "wallet-session COMMAND --help says more and shows examples. --version prints the version.",
    "Settings come from the environment, DATABASE_URL above all, or from a file: --env-file FILE.",
    "Exit codes: 0 done, 1 failed, 2 the command line makes no sense, 3 there is no such session.",
  ].join("\n");
}

/** `wallet-session COMMAND --help`. */
export function helpOf(command: Command): string {
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS }).map(
    ([name, { value, about }]) => [`--${name}${value === undefined ? "" : ` ${value}`}`, about] as const,
  );
  return [
    `${command.summary}.`,
    "",
    `Usage: wallet-session ${command.name}${command.usage === "" ? "" : ` ${command.usage}`}`,
    ...command.about.flatMap((paragraph) => ["", ...wrapped(paragraph)]),
    "",
    "Options:",
    ...table(options),
    "",
    "Examples:",
    ...command.examples.map((example) => `  ${example}`),
  ].join("\n");
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

function wrapped(paragraph: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of paragraph.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
