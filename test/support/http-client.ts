import { streamPay } from "../../app/lib/openapi.ts";
import { type Contract, contractOf } from "../../packages/wallet-session/test/contract.ts";
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

/** What the OpenAPI document of the server says. */
export function contractWith({ settings }: AppServer): Contract {
  return contractOf({
    part: streamPay,
    hasMetrics: settings.METRICS_TOKEN !== undefined,
    hasClients: settings.INTROSPECTION_CLIENTS !== undefined,
    ...(settings.AUTH_BASE_PATH && { basePath: settings.AUTH_BASE_PATH }),
  });
}

/**
 * Sends requests to the server as they are, and lets the witness see every answer. Rejects where an answer is not as the
 * OpenAPI document says.
 */
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
    contractWith(server).check(method, path, answer);
    return answer;
  };
}

/** Status and code of a problem, and that it is one in full (RFC 9457): what a test compares with. */
export function problemOf({ status, headers, json, text }: Answer): string {
  const whole =
    /^application\/(problem\+)?json$/.test(headers.get("content-type") ?? "") &&
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
