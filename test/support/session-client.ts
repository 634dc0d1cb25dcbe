import { randomUUID } from "node:crypto";
import { createWalletKeypair, type WalletKeypair } from "wallet-session/testing";
import type { AppServer } from "./app-server.ts";
import { REFRESH_COOKIE, SESSION_COOKIE } from "./cookies.ts";
import { type Answer, createSend, type Send, type SendOptions, textOf } from "./http-client.ts";
import type { Witness } from "./witness.ts";

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly sessionId: string;
}

/** The API as a program meets it: by body, or with a cookie jar as a browser does. */
export interface SessionClient {
  readonly send: Send;
  /** The signed answer to a fresh challenge: the body of a sign-in. */
  answerFor(key?: WalletKeypair): Promise<{ transaction: string }>;
  signIn(key?: WalletKeypair, headers?: SendOptions["headers"]): Promise<Tokens>;
  refresh(refreshToken: string, retryKey?: string): Promise<Answer>;
  /** A refresh that must succeed. */
  rotated(refreshToken: string, retryKey?: string): Promise<Tokens>;
  logout(refreshToken: string): Promise<Answer>;
  session(accessToken: string): Promise<Answer>;
  /** A guarded route that reads no row of the session. */
  list(accessToken: string): Promise<Answer>;
  /** A browser with an empty jar. */
  browser(): Browser;
  /** A browser that has signed in. */
  signedInBrowser(key?: WalletKeypair): Promise<SignedInBrowser>;
}

interface Browser {
  readonly cookies: Map<string, string>;
  /** As a page of the site does, with the jar's cookies; keeps what the answer sets. */
  readonly send: Send;
  /** The same, but the answer is lost on its way: the jar stays as it is. */
  readonly sendUnheard: Send;
}

export interface SignedInBrowser extends Browser {
  readonly key: WalletKeypair;
  readonly sessionId: string;
}

/** Where the session's id and the generation stand in a refresh token (docs/protocol.md). */
const SESSION_ID_AT = 4;
const GENERATION_AT = 20;

/** A retry key as a client makes it. */
export const newRetryKey = (): string => randomUUID();

export const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

export function generationOf(refreshToken: string): number {
  return Buffer.from(refreshToken.slice("wsr1_".length), "base64url").readUInt32BE(GENERATION_AT);
}

/** The Cookie header of a jar without an access token. A refresh token tells anybody the id of its session. */
export function jarWith(refreshToken: string): string {
  const bytes = Buffer.from(refreshToken.slice("wsr1_".length), "base64url");
  const sessionId = bytes.subarray(SESSION_ID_AT, GENERATION_AT).toString("base64url");
  return `${REFRESH_COOKIE}=${refreshToken}; ${SESSION_COOKIE}=${sessionId}`;
}

export function tokensOf(answer: Answer): Tokens {
  if (answer.status !== 200) throw new Error(`expected tokens, got ${answer.status} ${answer.text}`);
  return {
    accessToken: textOf(answer, "access_token"),
    refreshToken: textOf(answer, "refresh_token"),
    sessionId: textOf(answer, "session_id"),
  };
}

export function createClient(server: AppServer, witness: Witness): SessionClient {
  const send = createSend(server, witness);

  async function answerFor(key = createWalletKeypair()) {
    const challenge = await send("GET", `/api/auth/wallet?account=${key.account}`);
    const transaction = textOf(challenge, "transaction");
    return {
      transaction: key.sign({
        transaction,
        network_passphrase: textOf(challenge, "network_passphrase"),
      }),
    };
  }

  const refresh = (refreshToken: string, retryKey?: string) =>
    send("POST", "/api/auth/refresh", {
      body: { refresh_token: refreshToken },
      headers: retryKey === undefined ? {} : { "Idempotency-Key": retryKey },
    });

  async function signedInBrowser(key = createWalletKeypair()) {
    const browser = createBrowser(send, server.publicUrl);
    const answer = await browser.send("POST", "/api/auth/wallet", {
      body: await answerFor(key),
      headers: { "Session-Transport": "cookie" },
    });
    return { ...browser, key, sessionId: textOf(answer, "session_id") };
  }

  return {
    send,
    answerFor,
    signIn: async (key, headers = {}) =>
      tokensOf(await send("POST", "/api/auth/wallet", { body: await answerFor(key), headers })),
    refresh,
    rotated: async (refreshToken, retryKey) => tokensOf(await refresh(refreshToken, retryKey)),
    logout: (refreshToken) => send("POST", "/api/auth/logout", { body: { refresh_token: refreshToken } }),
    session: (accessToken) => send("GET", "/api/auth/session", { headers: bearer(accessToken) }),
    list: (accessToken) => send("GET", "/api/auth/sessions", { headers: bearer(accessToken) }),
    browser: () => createBrowser(send, server.publicUrl),
    signedInBrowser,
  };
}

/** Keeps cookies by name and path, as a browser does, and sends them from a page of the site. */
function createBrowser(send: Send, origin: string): Browser {
  const cookies = new Map<string, string>();

  function cookieHeader(path: string): Record<string, string> {
    const sent = [...cookies].filter(([name]) => name !== REFRESH_COOKIE || path.startsWith("/api/auth"));
    return sent.length === 0 ? {} : { Cookie: sent.map(([name, value]) => `${name}=${value}`).join("; ") };
  }

  function keep(setCookies: readonly string[]): void {
    for (const line of setCookies) {
      const [, name = "", value = "", maxAge = ""] = /^([^=]+)=([^;]*); Max-Age=(\d+);/.exec(line) ?? [];
      if (name === "") throw new Error(`a cookie that no browser here reads: ${line}`);
      if (maxAge === "0") cookies.delete(name);
      else cookies.set(name, value);
    }
  }

  const sendUnheard: Send = (method, path, options = {}) =>
    send(method, path, {
      ...options,
      headers: { Origin: origin, ...cookieHeader(path), ...options.headers },
    });

  return {
    cookies,
    sendUnheard,
    async send(method, path, options) {
      const answer = await sendUnheard(method, path, options);
      keep(answer.setCookies);
      return answer;
    },
  };
}
