import { parseArgs } from "node:util";
import type { Terminal } from "./terminal.ts";

/** What the process ends with. Part of the documented interface. */
export const EXIT = { ok: 0, failed: 1, usage: 2, notFound: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

export interface Invocation {
  readonly terminal: Terminal;
  /** What stands behind the command and is no option. */
  readonly operands: readonly string[];
  readonly options: OptionValues;
}

/** An option of a command: `value` names what it takes; without it, it is a switch. */
interface CommandOption {
  readonly value?: string;
  readonly about: string;
}

/** A command, as its help describes it. Its code is loaded when it runs. */
export interface Command {
  /** As it is typed: `sessions list`. */
  readonly name: string;
  readonly summary: string;
  /** What follows the name. */
  readonly usage?: string;
  /** Paragraphs below the usage. */
  readonly about: readonly string[];
  readonly options?: Readonly<Record<string, CommandOption>>;
  /** What its one operand looks like, as far as it is told from an option by that. Without it, it takes none. */
  readonly operand?: (text: string) => boolean;
  readonly examples: readonly string[];
  readonly load: () => Promise<(invocation: Invocation) => Promise<ExitCode>>;
}

/** A command line that makes no sense; the message says why. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What cannot be done, in words for the person who asked for it. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** What every command takes. */
export const COMMON_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "env-file": { value: "FILE", about: "reads settings from a file; the environment goes before it" },
};

/** @throws TypeError as `parseArgs` does, UsageError */
export function parseCommandLine(command: Command, args: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries({ ...command.options, ...COMMON_OPTIONS }).map(([name, { value }]) => [
      name,
      { type: value === undefined ? ("boolean" as const) : ("string" as const) },
    ]),
  );
  // A session's ID may begin with a dash.
  const isOperand = (arg: string) => arg.startsWith("-") && command.operand?.(arg) === true;
  const parsed = parseArgs({ args: args.filter((arg) => !isOperand(arg)), options, allowPositionals: true });
  const operands = [...parsed.positionals, ...args.filter(isOperand)];
  const unwanted = operands[command.operand === undefined ? 0 : 1];
  if (unwanted !== undefined) throw new UsageError(`${command.name} does not take "${unwanted}".`);
  return { operands, options: parsed.values };
}
