import type { ErrorCode } from "../../src/error-codes.ts";
import { SessionError } from "../../src/errors.ts";

/** As `node:http` makes a text of what stands in a head. */
export const textOf = (input: Buffer): string => input.toString("latin1");

/** @throws Error where what the parser promises does not hold */
export function must(holds: boolean, promise: string): asserts holds {
  if (!holds) throw new Error(`It must ${promise}.`);
}

/** How it was refused. @throws whatever was thrown that is none of the documented refusals */
export function refusal(error: unknown, ...codes: readonly ErrorCode[]): string {
  if (error instanceof SessionError && codes.includes(error.code)) return error.message;
  throw error;
}

/** For a reader that takes what we have written, and no other text: also not one that is nearly the same. */
export function onlyAuthentic(read: (text: string) => object | null, authentic: readonly string[]) {
  return (input: Buffer): string => {
    const text = textOf(input);
    const taken = read(text) !== null;
    must(taken === authentic.includes(text), "take what was written, byte for byte, and nothing else");
    return taken ? "authentic" : "none";
  };
}

/** A request with this header. Null where no header can have this value. */
export function requestWith(name: string, value: string, path = "/"): Request | null {
  try {
    return new Request(new URL(path, "https://pay.example.com"), { headers: { [name]: value } });
  } catch {
    return null;
  }
}
