import { types } from "node:util";

// Errors of Node, of drivers and of an app. Under Jest they are of another realm, where `instanceof Error` is false.

export function isError(error: unknown): error is Error {
  return types.isNativeError(error) || error instanceof Error;
}

/** What Node and drivers call an error: "ENOENT", "23505". Empty where it has no such name. */
export function codeOf(error: unknown): string {
  return isError(error) && "code" in error && typeof error.code === "string" ? error.code : "";
}
