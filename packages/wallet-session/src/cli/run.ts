import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { ConfigError } from "../config/settings.ts";
import { SessionError } from "../errors.ts";
import { isError } from "../foreign-errors.ts";
import { describeFault } from "../logging/event-log.ts";
import { UnfitStore } from "../stores/unfit-store.ts";
import { VERSION } from "../version.ts";
import {
  COMMON_OPTIONS,
  type Command,
  CommandError,
  EXIT,
  type ExitCode,
  parseCommandLine,
  UsageError,
} from "./command.ts";
import { COMMANDS } from "./commands.ts";
import type { Terminal } from "./terminal.ts";

/** Runs one command line and says what the process ends with. Never rejects. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    return await dispatch(args, terminal);
  } catch (error) {
    terminal.note(explain(error));
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

async function dispatch(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [first = "--help"] = args;
  if (first === "--version") {
    terminal.out(VERSION);
    return EXIT.ok;
  }
  if (first === "--help" || first === "-h" || first === "help") {
    const asked = args.slice(1).join(" ");
    terminal.out(asked === "" ? overview() : helpOf(find(args.slice(1)).command));
    return EXIT.ok;
  }
  const { command, rest } = find(args);
  if (rest.includes("--help") || rest.includes("-h")) {
    terminal.out(helpOf(command));
    return EXIT.ok;
  }
  const { operands, options } = parse(command, rest);
  const { "env-file": envFile } = options;
  const env = typeof envFile === "string" ? { ...readEnvFile(envFile), ...terminal.env } : terminal.env;
  const execute = await command.load();
  return execute({ terminal: { ...terminal, env }, operands, options });
}

/** The command that the words begin with. @throws UsageError */
function find(args: readonly string[]): { command: Command; rest: readonly string[] } {
  for (const command of COMMANDS) {
    const words = command.name.split(" ");
    if (words.every((word, index) => args[index] === word))
      return { command, rest: args.slice(words.length) };
  }
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${args[0]} `));
  const listed = (group.length > 0 ? group : COMMANDS).map(({ name }) => `  wallet-session ${name}`);
  const why =
    group.length > 0 ? `${args[0]} takes one of these:` : `There is no command ${args[0]}. There are these:`;
  throw new UsageError([why, ...listed].join("\n"));
}

/** @throws UsageError */
function parse(command: Command, args: readonly string[]) {
  try {
    return parseCommandLine(command, args);
  } catch (error) {
    const why = error instanceof UsageError ? error.message : describeRefusal(error, command);
    throw new UsageError(`${why} See: wallet-session ${command.name} --help`);
  }
}

/** @throws UsageError where there is no such file */
function readEnvFile(path: string) {
  try {
    return parseEnv(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UsageError(`--env-file cannot be read: ${describeFault(error)}`);
  }
}

/** What `parseArgs` refused, in our words. */
function describeRefusal(error: unknown, command: Command): string {
  const message = isError(error) ? error.message : String(error);
  const [, unknown] = /^Unknown option '(--?[^']+)'/.exec(message) ?? [];
  if (unknown === undefined) return `${message.replace(/\.?\n.*/s, "")}.`;
  const known = Object.keys({ ...command.options, ...COMMON_OPTIONS }).map((name) => `--${name}`);
  return `${command.name} has no option ${unknown}. It has ${known.join(", ")}.`;
}

function explain(error: unknown): string {
  const isPlain = [UsageError, ConfigError, CommandError, UnfitStore].some((type) => error instanceof type);
  if (isPlain && isError(error)) return error.message;
  if (error instanceof SessionError && error.code === "store_unavailable") {
    const { cause } = error;
    return cause instanceof UnfitStore ? cause.message : `The store failed: ${describeFault(cause)}`;
  }
  return describeFault(error);
}

/** As many words as fit. */
const LINE = /\S.{0,99}(?=\s|$)/g;

/** `wallet-session --help`. */
function overview(): string {
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
function helpOf(command: Command): string {
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS }).map(
    ([name, { value, about }]) => [`--${name}${value === undefined ? "" : ` ${value}`}`, about] as const,
  );
  return [
    `${command.summary}.`,
    "",
    `Usage: wallet-session ${command.name}${command.usage === undefined ? "" : ` ${command.usage}`}`,
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
  return paragraph.match(LINE) ?? [];
}
