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

/** Where an app has a setting of the same name, such as `DATABASE_URL`, that means something else to it. */
export const PREFIX = "WALLET_SESSION_";

/**
 * Reads settings out of an environment and collects every problem, so that one start reports all of them. An app reads its
 * own settings with it. A parser throws {@link BadValue} for text that it cannot use; {@link Settings.complete} throws at the
 * end.
 *
 * @example
 * ```ts
 * import { integer, Settings } from "wallet-session/kit";
 *
 * const settings = new Settings(process.env);
 * export const { workers } = settings.complete({
 *   workers: settings.read("APP_WORKERS", 4, (text) => integer(text, 1, 64)),
 * });
 * ```
 */
export class Settings {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #problems: string[] = [];

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  /** The trimmed value, or undefined. An empty value counts as not given. `WALLET_SESSION_NAME` goes before `NAME`. */
  optional(name: string): string | undefined {
    return this.#given(name)?.text;
  }

  #given(name: string): { readonly name: string; readonly text: string } | undefined {
    for (const given of [`${PREFIX}${name}`, name]) {
      const text = this.#env[given]?.trim();
      if (text) return { name: given, text };
    }
    return undefined;
  }

  /** The trimmed value. Without one it adds a problem and returns undefined. `where`: such as "in production". */
  required(name: string, where: string): string | undefined {
    const text = this.optional(name);
    if (text === undefined) this.complain(`${name} is required ${where}`);
    return text;
  }

  /** A setting by its parser. A default that is text is parsed as well; any other is taken as it is. */
  read<T>(name: string, byDefault: NoInfer<T> | string, parse: (text: string) => T): T | undefined {
    const text = this.optional(name);
    if (text === undefined && typeof byDefault !== "string") return byDefault;
    return this.check(name, text ?? String(byDefault), parse);
  }

  /** The parsed text. Undefined for no text, and for text that the parser refuses: that adds a problem. */
  check<T>(name: string, text: string | undefined, parse: (text: string) => T): T | undefined {
    if (text === undefined) return undefined;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      this.#problems.push(`${this.#given(name)?.name ?? name} ${error.message}`);
      return undefined;
    }
  }

  /** Adds a problem of several values together. */
  complain(problem: string): void {
    this.#problems.push(problem);
  }

  /** Returns the settings as they are. @throws ConfigError with every problem so far */
  complete<T extends object>(config: T): { [K in keyof T]: Exclude<T[K], undefined> } {
    if (this.#problems.length > 0) throw new ConfigError(this.#problems);
    return config as { [K in keyof T]: Exclude<T[K], undefined> };
  }
}
