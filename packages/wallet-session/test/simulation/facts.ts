// What a request and its answer say of themselves, read without the code that is under test.
import { cookieNames } from "../../src/cookie-names.ts";
import type { Sent } from "./wire.ts";

const COOKIES = cookieNames("ws");
const BASE = "/api/auth";

export interface RequestFacts {
  /** Below the auth endpoints. */
  readonly path: string;
  readonly isByThief: boolean;
  readonly isRefresh: boolean;
  readonly isGuarded: boolean;
  readonly refreshToken: string | null;
  readonly retryKey: string | null;
  /** The session that the access token names. */
  readonly accessOf: string | null;
  readonly hasProof: boolean;
  /** What it asks to end. */
  readonly ends: "own" | "others" | null;
}

export interface AnswerFacts {
  readonly status: number;
  readonly code: string | null;
  readonly refreshToken: string | null;
}

export function factsOf({ method, url, headers, body }: Sent, isByThief: boolean): RequestFacts {
  const [, rest = ""] = url.split(BASE);
  const [path = ""] = rest.split("?");
  const cookies = cookiesOf(headers.get("cookie") ?? "");
  const inBody = body?.includes("refresh_token") ? (JSON.parse(body) as { refresh_token: string }) : null;
  const isGuarded = path === "/session" || path === "/sessions";
  const bearer = headers.get("authorization")?.split(" ")[1];
  return {
    path,
    isByThief,
    isRefresh: path === "/refresh" || path === "/device/refresh",
    isGuarded,
    refreshToken: inBody?.refresh_token ?? cookies.get(COOKIES.refresh) ?? null,
    retryKey: headers.get("idempotency-key") ?? cookies.get(COOKIES.retry) ?? null,
    accessOf: isGuarded ? subjectOf(bearer ?? cookies.get(COOKIES.access)) : null,
    hasProof: headers.has("dpop") || headers.has("secure-session-response"),
    ends: path === "/logout" ? "own" : method === "DELETE" ? "others" : null,
  };
}

/** @param text of the body */
export function factsOfAnswer(response: Response, text: string): AnswerFacts {
  const { status, headers } = response;
  const isJson = headers.get("content-type")?.includes("json") === true && text !== "";
  const body: Partial<Record<string, unknown>> = isJson ? JSON.parse(text) : {};
  const set = headers.getSetCookie().find((line) => line.startsWith(`${COOKIES.refresh}=`));
  const inCookie = set?.slice(COOKIES.refresh.length + 1, set.indexOf(";"));
  return {
    status,
    code: typeof body.code === "string" ? body.code : null,
    refreshToken: typeof body.refresh_token === "string" ? body.refresh_token : inCookie || null,
  };
}

export function cookiesOf(header: string): ReadonlyMap<string, string> {
  const pairs = header.split("; ").map((pair): [string, string] => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  return new Map(pairs);
}

function subjectOf(accessToken: string | undefined): string | null {
  const [, claims] = accessToken?.split(".") ?? [];
  if (claims === undefined) return null;
  const { sid } = JSON.parse(Buffer.from(claims, "base64url").toString()) as { sid?: string };
  return sid ?? null;
}
