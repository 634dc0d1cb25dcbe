// @ts-check
import { existsSync } from "node:fs";

/**
 * Whether the tests in test/browser can run. Chromium is the one thing that npm cannot bring: where there is none, all the
 * others run and the reader is told. In CI nothing is left out, so there they fail.
 *
 * @param {Record<string, string | undefined>} env
 * @returns {{ isThere: boolean, note?: string }}
 */
export function browserToTestWith(env = process.env) {
  const executable = env.CHROMIUM ?? "/usr/bin/chromium";
  if (env.CI || existsSync(executable)) return { isThere: true };
  return {
    isThere: false,
    note: `The tests in test/browser did NOT run: there is no Chromium at ${executable}. On Debian: apt-get install chromium`,
  };
}
