import { randomBytes } from "node:crypto";
import {
  createSessionEngine,
  type SessionEngineOptions,
} from "../packages/wallet-session/src/engine/create-session-engine.ts";
import type { IssuedTokens, SessionEngine } from "../packages/wallet-session/src/engine/session-engine.ts";
import type { SessionStore } from "../packages/wallet-session/src/store.ts";

export const SECRET = randomBytes(32).toString("hex");
export const CLIENT = { browser: "Firefox 140", os: "Linux", device: null, ip: "203.0.113.0" };
export const ACTOR = "GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H";
export const RETRY_KEY = "0123456789abcdef0123";

export async function startEngine(
  store: SessionStore,
  options: Pick<SessionEngineOptions, "onStoreStep"> = {},
): Promise<SessionEngine> {
  const engine = createSessionEngine({
    store,
    secrets: [SECRET],
    issuer: "https://pay.example.com",
    ...options,
  });
  await engine.start();
  return engine;
}

export function newChallenge() {
  return { id: randomBytes(32).toString("hex"), expiresAt: Date.now() + 300_000 };
}

export function signIn(engine: SessionEngine, actorId = ACTOR): Promise<IssuedTokens> {
  return engine.signIn({ actorId, challenge: newChallenge() }, { transport: "body", client: CLIENT });
}

/** The next refresh token. */
export async function refreshed(engine: SessionEngine, token: string): Promise<string> {
  const result = await engine.refresh(token, { retryKey: RETRY_KEY });
  if (result.outcome !== "rotated") throw new Error(result.outcome);
  return result.tokens.refreshToken;
}
