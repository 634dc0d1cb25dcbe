import { BadValue } from "./values.ts";

/** Settings that cannot be used. The message has a line for each, with its name and what is expected; never a secret. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The settings cannot be used:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.problems = problems;
  }
}

/**
 * Reads settings out of an environment and collects every problem, so that one start tells all of them. An app reads its
 * own with it, in the same words.
 */
export class Settings {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #problems: string[] = [];

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  /** An empty value counts as not given. */
  optional(name: string): string | undefined {
    return this.#env[name]?.trim() || undefined;
  }

  /** `where`: what makes it required, such as "in production". */
  required(name: string, where: string): string | undefined {
    const text = this.optional(name);
    if (text === undefined) this.complain(`${name} is required ${where}`);
    return text;
  }

  /** A default that is text is read like a given value; any other is taken as it is. */
  read<T>(name: string, byDefault: NoInfer<T> | string, parse: (text: string) => T): T | undefined {
    const text = this.optional(name);
    if (text === undefined && typeof byDefault !== "string") return byDefault;
    return this.check(name, text ?? String(byDefault), parse);
  }

  check<T>(name: string, text: string | undefined, parse: (text: string) => T): T | undefined {
    if (text === undefined) return undefined;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      this.#problems.push(`${name} ${error.message}`);
      return undefined;
    }
  }

  /** For what is wrong with several values together. */
  complain(problem: string): void {
    this.#problems.push(problem);
  }

  complete<T extends object>(config: T): { [K in keyof T]: Exclude<T[K], undefined> } {
    if (this.#problems.length > 0) throw new ConfigError(this.#problems);
    return config as { [K in keyof T]: Exclude<T[K], undefined> };
  }
}
