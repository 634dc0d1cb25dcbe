import { performance } from "node:perf_hooks";
import { ACCESS_COOKIE, REFRESH_COOKIE } from "../cookies.ts";
import { generationOf } from "../session-client.ts";
import type { Answered, Exchange } from "./history.ts";

const JSON_TYPE = { "Content-Type": "application/json" };

export interface Asked {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** Cut the connection after so many milliseconds, whatever has become of the request by then. */
  readonly cutAfterMs?: number;
}

/** An answer as far as a wallet reads it. */
export interface Heard extends Answered {
  readonly json: Readonly<Record<string, unknown>>;
  readonly setCookies: readonly string[];
}

/** One request to one instance. Null: the connection was cut or refused. */
export async function ask(address: string, asked: Asked): Promise<Heard | null> {
  const { method, path, headers = {}, body, cutAfterMs } = asked;
  try {
    const response = await fetch(address + path, {
      method,
      redirect: "manual",
      headers: { ...(body && JSON_TYPE), ...headers },
      ...(body && { body: JSON.stringify(body) }),
      ...(cutAfterMs !== undefined && { signal: AbortSignal.timeout(cutAfterMs) }),
    });
    const json = membersOf(await response.text());
    const setCookies = response.headers.getSetCookie();
    const token = refreshTokenIn(json, setCookies);
    return {
      status: response.status,
      code: typeof json.code === "string" ? json.code : null,
      retryAfter: response.headers.has("retry-after"),
      clearsCookies: [ACCESS_COOKIE, REFRESH_COOKIE].some((name) =>
        setCookies.some((line) => line.startsWith(`${name}=;`)),
      ),
      successor: token === null ? null : { generation: generationOf(token), token },
      json,
      setCookies,
    };
  } catch (error) {
    // What `fetch` says when the connection broke or was broken off.
    if (error instanceof TypeError || (error instanceof DOMException && error.name === "TimeoutError"))
      return null;
    throw error;
  }
}

/** The same, written down. */
export async function recorded(
  exchanges: Exchange[],
  of: Pick<Exchange, "kind" | "sessionId" | "generation" | "instance">,
  run: () => Promise<Heard | null>,
): Promise<Heard | null> {
  const begunAt = performance.now();
  const heard = await run();
  exchanges.push({ ...of, begunAt, endedAt: performance.now(), answer: heard });
  return heard;
}

function refreshTokenIn(
  json: Readonly<Record<string, unknown>>,
  setCookies: readonly string[],
): string | null {
  if (typeof json.refresh_token === "string") return json.refresh_token;
  const cookie = setCookies.find((line) => line.startsWith(`${REFRESH_COOKIE}=wsr1_`));
  return cookie?.slice(`${REFRESH_COOKIE}=`.length).split(";")[0] ?? null;
}

function membersOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
