/** A Structured Fields string: only `"` and `\` are escaped (RFC 9651 §3.3.3). */
const QUOTED = /^"((?:[^"\\]|\\["\\])*)"$/;

/** What a header says, where its standard has it in quotes and some clients send it bare. Null for quotes that do not fit. */
export function unquoted(text: string): string | null {
  if (!text.startsWith('"')) return text;
  return QUOTED.exec(text)?.[1]?.replace(/\\(.)/g, "$1") ?? null;
}
