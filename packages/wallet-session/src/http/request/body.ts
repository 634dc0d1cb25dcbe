import { SessionError } from "../../errors.ts";
import { BODY_MEMBERS_MAX } from "../../limits.ts";
import { countMembers } from "./json-members.ts";

/** The members of a request's body by name. Unknown names are ignored. */
export type BodyMembers = ReadonlyMap<string, unknown>;

const NO_BODY: BodyMembers = new Map();
/** How much of a refused body is read and thrown away. */
const DISCARDED_MAX_BYTES = 16 * 1_024 * 1_024;

/**
 * Reads a JSON object or a form, strictly: a doubled member, a byte order mark, invalid UTF-8 or a wrong escape is
 * refused, since two parsers could read two things, and so are more than {@link BODY_MEMBERS_MAX} members. A body of no bytes
 * is no body, whatever its type. Holds no more of it than the limit.
 * @throws unsupported_media_type, body_too_large, invalid_request - in this order
 */
export function readBody(request: Request, limitBytes: number): Promise<BodyMembers> {
  return readBodyOf(JSON_OR_FORM, request, limitBytes);
}

/** The same for a form alone, as OAuth has it. */
export function readFormBody(request: Request, limitBytes: number): Promise<BodyMembers> {
  return readBodyOf(FORM_ALONE, request, limitBytes);
}

/** The same for a JSON object alone: a form is an unsupported media type. */
export function readJsonBody(request: Request, limitBytes: number): Promise<BodyMembers> {
  return readBodyOf(JSON_ALONE, request, limitBytes);
}

async function readBodyOf(parsers: Parsers, request: Request, limitBytes: number): Promise<BodyMembers> {
  const { body, headers } = request;
  if (body === null) return NO_BODY;
  const reader = body.getReader();
  try {
    const first = await readChunk(reader);
    if (first === null) return NO_BODY;
    const { parse, charset } = mediaOf(parsers, headers);
    if (Number(headers.get("content-length")) > limitBytes) throw tooLarge(limitBytes);
    return parse(decode(await readUpTo(limitBytes, first, reader), charset));
  } catch (error) {
    // Not awaited: the refusal goes out at once.
    void discardRest(reader);
    throw error;
  }
}

/**
 * Under Node a body that is begun and not read to its end holds up the next request on its connection, which behind a
 * proxy is someone else's; one that is cancelled destroys the request. A larger body still costs its sender the
 * connection.
 */
async function discardRest(reader: ChunkReader): Promise<void> {
  let discarded = 0;
  while (discarded < DISCARDED_MAX_BYTES) {
    const chunk = await readChunk(reader).catch(() => null);
    if (chunk === null) return;
    discarded += chunk.byteLength;
  }
}

/** A member's text. Null when it is absent or empty (RFC 6749 §3.2). @throws invalid_request when it is no text */
export function textMember(members: BodyMembers, name: string): string | null {
  const value = members.get(name);
  if (value === undefined || value === "") return null;
  if (typeof value !== "string" || !value.isWellFormed()) throw malformed(`${name} must be a string`);
  return value;
}

type ChunkReader = ReadableStreamDefaultReader<Uint8Array>;

/** The next bytes, at least one; null at the end. */
async function readChunk(reader: ChunkReader): Promise<Uint8Array | null> {
  for (;;) {
    const { done, value } = await reader.read().catch((cause) => {
      throw new SessionError("invalid_request", "The body did not arrive whole.", { cause });
    });
    if (done) return null;
    if (value.byteLength > 0) return value;
  }
}

async function readUpTo(limitBytes: number, first: Uint8Array, reader: ChunkReader): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let chunk: Uint8Array | null = first; chunk !== null; chunk = await readChunk(reader)) {
    size += chunk.byteLength;
    if (size > limitBytes) throw tooLarge(limitBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

type Parsers = ReadonlyMap<string, (text: string) => BodyMembers>;

const JSON_ALONE: Parsers = new Map([["application/json", parseJson]]);
const FORM_ALONE: Parsers = new Map([["application/x-www-form-urlencoded", parseForm]]);
const JSON_OR_FORM: Parsers = new Map([...JSON_ALONE, ...FORM_ALONE]);

type Charset = "utf-8" | "ascii";

/** In these, ASCII is ASCII, so that a body of nothing else can be read whatever its sender calls it. */
const LIKE_ASCII = /^(?:us-?)?ascii$|^(?:iso-?8859-?\d+|latin-?\d+|(?:windows-|cp)125\d)$/;

function mediaOf(parsers: Parsers, headers: Headers) {
  const [type = "", ...parameters] = (headers.get("content-type") ?? "")
    .split(";")
    .map((part) => part.trim().toLowerCase());
  const charset = charsetOf(parameters);
  const encoding = headers.get("content-encoding") ?? "identity";
  const parse = parsers.get(type);
  if (parse === undefined || charset === null || !/^identity$/i.test(encoding)) {
    throw unsupported(`${[...parsers.keys()].join(" or ")}, in UTF-8 and not compressed`);
  }
  return { parse, charset };
}

/** Null for one that is not read here. Parameters that are no charset mean nothing. */
function charsetOf(parameters: readonly string[]): Charset | null {
  let charset: Charset = "utf-8";
  for (const parameter of parameters) {
    const [name, value] = splitOnce(parameter).map((part) => part.trim());
    const label = value?.replace(/^["']|["']$/g, "");
    if (name !== "charset" || !label || /^utf[-_]?8$/.test(label)) continue;
    if (!LIKE_ASCII.test(label)) return null;
    charset = "ascii";
  }
  return charset;
}

function decode(bytes: Uint8Array, charset: Charset): string {
  if (charset === "ascii" && bytes.some((byte) => byte > 0x7f)) throw unsupported("in UTF-8");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed("the body is not valid UTF-8");
  }
  if (text.startsWith("\ufeff")) throw malformed("the body starts with a byte order mark");
  return text;
}

function parseJson(text: string): BodyMembers {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may hold a token.
    throw malformed("the body is not valid JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw malformed("the body must be a JSON object");
  }
  const count = countMembers(text);
  if (count > BODY_MEMBERS_MAX) throw tooManyMembers();
  const members = new Map<string, unknown>(Object.entries(value));
  if (count !== members.size) throw malformed("a member comes twice");
  return members;
}

function parseForm(text: string): BodyMembers {
  const members = new Map<string, string>();
  const pairs = text.split("&", BODY_MEMBERS_MAX + 1);
  if (pairs.length > BODY_MEMBERS_MAX) throw tooManyMembers();
  for (const pair of pairs) {
    if (pair === "") continue;
    const [name, value] = splitOnce(pair).map(decodeFormText) as [string, string];
    if (members.has(name)) throw malformed("a member comes twice");
    members.set(name, value);
  }
  return members;
}

function splitOnce(pair: string): [string, string] {
  const at = pair.indexOf("=");
  return at === -1 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
}

/** @throws invalid_request */
export function decodeFormText(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw malformed("the form has a wrong escape");
  }
}

function malformed(what: string): SessionError {
  return new SessionError("invalid_request", `The request is malformed: ${what}.`);
}

function unsupported(expected: string): SessionError {
  return new SessionError("unsupported_media_type", `The body must be ${expected}.`);
}

function tooManyMembers(): SessionError {
  return malformed(`the body may have ${BODY_MEMBERS_MAX} members at most`);
}

function tooLarge(limitBytes: number): SessionError {
  return new SessionError("body_too_large", `The body may have ${limitBytes} bytes at most.`);
}
