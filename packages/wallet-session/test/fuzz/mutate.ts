import type { Random } from "../simulation/random.ts";

/** What a mutation may take from: the words of the grammar, and the other inputs. */
interface Material {
  readonly words: readonly Buffer[];
  readonly others: readonly Buffer[];
  readonly maxBytes: number;
}

type Mutator = (input: Buffer, random: Random, material: Material) => Buffer;

/** Bytes that parsers treat specially: ends, quotes, separators, the borders of encodings. */
const SPECIAL = Buffer.from('\0\t\n\r "#%&+,-./0:;=?@[\\]_{}~\x7f\x80\xa0\xc0\xed\xef\xff', "latin1");

function replaced(input: Buffer, from: number, to: number, by: Uint8Array): Buffer {
  return Buffer.concat([input.subarray(0, from), by, input.subarray(to)]);
}

/** A part of the input, which may be empty. Mostly a short one. */
function part(input: Buffer, random: Random): [from: number, to: number] {
  const from = random.below(input.length + 1);
  const longest = random.chance(0.8) ? Math.min(16, input.length - from) : input.length - from;
  return [from, from + random.below(longest + 1)];
}

function slice(input: Buffer, random: Random): Buffer {
  const [from, to] = part(input, random);
  return input.subarray(from, to);
}

function choose<T>(choices: readonly T[], random: Random): T | undefined {
  return choices[random.below(choices.length)];
}

const flipBit: Mutator = (input, random) => {
  if (input.length === 0) return input;
  const changed = Buffer.from(input);
  const at = random.below(input.length);
  changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
  return changed;
};

const setByte: Mutator = (input, random) => {
  if (input.length === 0) return input;
  const at = random.below(input.length);
  const byte = random.chance(0.5) ? (SPECIAL[random.below(SPECIAL.length)] ?? 0) : random.below(256);
  return replaced(input, at, at + (random.chance(0.5) ? 1 : 0), Buffer.of(byte));
};

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Other low bits of a character of base64, mostly of the last one, where some of them mean nothing. */
const nudge: Mutator = (input, random) => {
  const at = random.chance(0.5) ? input.length - 1 : random.below(input.length + 1);
  const known = ALPHABET.indexOf(String.fromCharCode(input[at] ?? 0));
  const other = ALPHABET.charCodeAt(known ^ (1 + random.below(15)));
  return known === -1 ? input : replaced(input, at, at + 1, Buffer.of(other));
};

const remove: Mutator = (input, random) => replaced(input, ...part(input, random), Buffer.alloc(0));

const repeat: Mutator = (input, random) => {
  const [from, to] = part(input, random);
  const piece = input.subarray(from, to);
  return replaced(input, to, to, Buffer.concat(Array.from({ length: 1 + random.below(4) }, () => piece)));
};

const splice: Mutator = (input, random, { others }) =>
  replaced(input, ...part(input, random), slice(choose(others, random) ?? input, random));

const word: Mutator = (input, random, { words }) =>
  replaced(input, ...part(input, random), choose(words, random) ?? Buffer.alloc(0));

const BASE64 = /[\w+/-]{8,}/g;

/** What base64 hides is mutated behind it, as its reader meets it. */
const withinBase64: Mutator = (input, random, material) => {
  const runs = [...input.toString("latin1").matchAll(BASE64)];
  const run = choose(runs, random);
  if (run === undefined) return input;
  const [text] = run;
  const inner = once(Buffer.from(text, "base64"), random, material);
  const encoded = inner.toString(/[+/]/.test(text) ? "base64" : "base64url").replace(/=+$/, "");
  return replaced(input, run.index, run.index + text.length, Buffer.from(encoded));
};

const PLAIN = [flipBit, setByte, nudge, remove, repeat, splice, word, word] as const;

function once(input: Buffer, random: Random, material: Material): Buffer {
  return random.pick(PLAIN)(input, random, material);
}

/** Another input, a few steps away. */
export function mutate(input: Buffer, random: Random, material: Material): Buffer {
  let changed = input;
  do {
    const step = random.chance(0.3) ? withinBase64 : once;
    changed = step(changed, random, material);
  } while (random.chance(0.5));
  return changed.subarray(0, material.maxBytes);
}
