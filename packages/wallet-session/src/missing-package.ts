/**
 * What to say of an optional package that could not be imported. Bundlers find each import by its name and, since it is tried,
 * let a package be missing; only webpack would warn, and is told to look away: it takes the package along all the same.
 *
 * `needs`: what cannot work without it, such as "The Redis store".
 */
export function missingPackage(needs: string, name: string, cause: unknown): string {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : null;
  return code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND"
    ? `${needs} needs the package ${name}, which is not where this server runs: npm install ${name}, and build what is bundled anew`
    : `${needs} needs the package ${name}, which fails to load`;
}
