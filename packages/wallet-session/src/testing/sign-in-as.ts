import { randomUUID } from "node:crypto";
import type { IssuedTokens } from "../engine/session-engine.ts";
import { CHALLENGE_TTL_MS } from "../limits.ts";
import type { Sessions } from "../server/sessions.ts";
import type { Transport } from "../store.ts";

export interface SignedInAs extends IssuedTokens {
  /** Of a request that the session sends: a bearer token, or the cookies of a page of the site. */
  readonly headers: Readonly<Record<string, string>>;
}

const NO_CLIENT = { browser: null, os: null, device: null, ip: null };

/**
 * Signs somebody in without a wallet, for the tests of an app: a real session with real tokens, which refreshes and can be
 * revoked. `actorId`: any account. `transport`: by which `headers` the session shows itself.
 *
 * Does NOT ask `onSignIn`; `claims` are asked. Refuses to work in production.
 * @throws Error where the settings say that this is production
 *
 * @example
 * ```ts
 * import { createSessions } from "wallet-session/server";
 * import { createWalletKeypair, signInAs } from "wallet-session/testing";
 *
 * const sessions = createSessions({
 *   env: { DATABASE_URL: "memory:", AUTH_SECRET: "x".repeat(32), STELLAR_SIGNING_SEED: createWalletKeypair().seed },
 * });
 * const { headers } = await signInAs(sessions, "GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H");
 * const request = new Request("http://localhost:3000/api/boats", { headers });
 * console.log((await sessions.handlers.guard(request)).actorId);
 * ```
 */
export async function signInAs(
  sessions: Pick<Sessions, "config" | "engine" | "handlers" | "start">,
  actorId: string,
  { transport = "body" }: { readonly transport?: Transport } = {},
): Promise<SignedInAs> {
  if (sessions.config.production) throw new Error("signInAs: this is production, where only wallets sign in");
  await sessions.start();
  const challenge = { id: `signInAs ${randomUUID()}`, expiresAt: Date.now() + CHALLENGE_TTL_MS };
  const tokens = await sessions.engine.signIn({ actorId, challenge }, { transport, client: NO_CLIENT });
  return { ...tokens, headers: transport === "body" ? bearer(tokens) : jar(tokens, sessions) };
}

const bearer = ({ accessToken }: IssuedTokens) => ({ Authorization: `Bearer ${accessToken}` });

function jar(tokens: IssuedTokens, { handlers: { cookieNames } }: Pick<Sessions, "handlers">) {
  const cookies = [
    [cookieNames.access, tokens.accessToken],
    [cookieNames.refresh, tokens.refreshToken],
    [cookieNames.session, tokens.session.id],
  ];
  const Cookie = cookies.map(([name, value]) => `${name}=${value}`).join("; ");
  return { Cookie, "Sec-Fetch-Site": "same-origin" };
}
