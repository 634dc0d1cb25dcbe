import { types } from "node:util";
// What a store reads must be of the kind that it wrote: all of these throw where it is not.

export function integer(value: unknown): number {
  if (typeof value !== "number") throw unreadable();
  return value;
}

export function text(value: unknown): string {
  if (typeof value !== "string") throw unreadable();
  return value;
}

export function blob(value: unknown): Uint8Array {
  if (!types.isUint8Array(value)) throw unreadable();
  return value;
}

/** One of those known. */
export function known<Value>(value: Value | undefined): Value {
  if (value === undefined) throw unreadable();
  return value;
}

/** Without the words of JSON.parse, which quote what they fail at. */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw unreadable();
  }
}

export const UNREADABLE = "A value in the database is not as this store writes it.";

/** Says nothing of the value, which may be a hash. */
export function unreadable(): Error {
  return new Error(UNREADABLE);
}
