import { cookieNames } from "wallet-session/http";
import { createWalletKeypair, type WalletKeypair } from "wallet-session/testing";
import { issueRefreshToken } from "../../lib/auth.ts";
import { GET as challenge } from "./wallet/route.ts";

export const ORIGIN = "http://localhost:3000";
/** By default the port is in the names of the cookies on this machine. */
export const COOKIES = cookieNames("ws3000");

Object.assign(process.env, {
  DATABASE_URL: "memory:",
  AUTH_SECRET: "a secret of the route tests that is long enough",
  STELLAR_SIGNING_SEED: createWalletKeypair(new Uint8Array(32).fill(7)).seed,
  LOG_LEVEL: "silent",
});

export interface SignedIn {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly session_id: string;
}

export function post(path: string, body: unknown, headers: Record<string, string> = {}): Request {
  return new Request(`${ORIGIN}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

export function get(path: string, headers: Record<string, string> = {}, method = "GET"): Request {
  return new Request(`${ORIGIN}${path}`, { method, headers });
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

/** A challenge of the running app, signed by a real key. */
export async function answer(wallet: WalletKeypair): Promise<{ transaction: string }> {
  const response = await challenge(get(`/api/auth/wallet?account=${wallet.account}`));
  return { transaction: wallet.sign(await response.json()) };
}

/** The tokens of a new session of that wallet, as its sign-in gives them. */
export async function signedIn({ account } = createWalletKeypair()): Promise<SignedIn> {
  const challenge = { id: crypto.randomUUID(), expiresAt: Date.now() + 300_000 };
  const client = { browser: null, os: null, device: null, ip: null };
  const tokens = await issueRefreshToken({ actorId: account, challenge }, { transport: "body", client });
  return {
    access_token: tokens.accessToken,
    refresh_token: tokens.refreshToken,
    session_id: tokens.session.id,
  };
}

/** The cookies that a response sets, by name; a deleted one is "". */
export function cookiesOf(response: Response): Map<string, string> {
  return new Map(
    response.headers.getSetCookie().map((line) => {
      const pair = line.split(";", 1)[0] ?? "";
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

export function jar(cookies: ReadonlyMap<string, string>): { cookie: string } {
  return { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") };
}
