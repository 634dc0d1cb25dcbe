import type { AppServer } from "./app-server.ts";
import type { Witness } from "./witness.ts";

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** An object goes as JSON; a string or bytes as they are. */
  readonly body?: object | string | Uint8Array<ArrayBuffer>;
}

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly setCookies: readonly string[];
  readonly text: string;
  /** The members of a JSON object; none for any other body. */
  readonly json: Readonly<Record<string, unknown>>;
}

export type Send = (method: string, path: string, options?: SendOptions) => Promise<Answer>;

/** Sends requests to the server as they are, and lets the witness see every answer. */
export function createSend(server: AppServer, witness: Witness): Send {
  return async (method, path, { headers = {}, body } = {}) => {
    const raw = body === undefined || typeof body === "string" || body instanceof Uint8Array;
    const response = await fetch(new URL(path, server.address), {
      method,
      redirect: "manual",
      headers: { ...(raw ? {} : { "Content-Type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const answer = {
      status: response.status,
      headers: response.headers,
      setCookies: response.headers.getSetCookie(),
      text,
      json: members(text),
    };
    witness.see(headers, answer);
    return answer;
  };
}

/** Status and code of a problem, and that it is one in full (RFC 9457): what a test compares with. */
export function problemOf({ status, headers, json, text }: Answer): string {
  const whole =
    headers.get("content-type") === "application/problem+json" &&
    headers.get("cache-control") === "no-store" &&
    json.status === status &&
    typeof json.type === "string" &&
    typeof json.title === "string" &&
    typeof json.detail === "string" &&
    json.error === json.detail;
  return whole ? `${status} ${json.code}` : `${status}, not a whole problem: ${text}`;
}

/** What shows in a body when a stack trace got into it: a source file, or a line of the trace in JSON. */
export const STACK_TRACE = /\.[cm]?[jt]sx?\b|\\n\s*at /;

/** A member that must be a text. */
export function textOf(answer: Answer, name: string): string {
  const value = answer.json[name];
  if (typeof value === "string") return value;
  throw new Error(`no ${name} in ${answer.status} ${answer.text}`);
}

function members(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
