import { randomBytes } from "node:crypto";
import { systemClock, systemRandom } from "../packages/wallet-session/src/clock.ts";
import type { EngineContext } from "../packages/wallet-session/src/engine/context.ts";
import { createSessionEngine } from "../packages/wallet-session/src/engine/create-session-engine.ts";
import { rotate } from "../packages/wallet-session/src/engine/rotate.ts";
import type { SessionStore } from "../packages/wallet-session/src/store.ts";
import { readRefreshToken } from "../packages/wallet-session/src/tokens/refresh-token.ts";
import { createKeyring } from "../packages/wallet-session/src/tokens/secrets.ts";
import { type Comparison, compare, timed } from "./measure.ts";

export const IN_FLIGHT = 32;
const SECRET = randomBytes(32).toString("hex");
const RETRY_KEY = "0123456789abcdef0123";
const CLIENT = { browser: "Firefox 140", os: "Linux", device: null, ip: "203.0.113.0" };

/** The least that any server must do: the same database, the same row, the same step on it, nothing else. */
export interface BareSwaps {
  /** Swaps each of `IN_FLIGHT` rows `each` times, as many at once as the database takes. */
  swap(each: number): Promise<void> | void;
  close(): Promise<void> | void;
}

/** Rotations and whole refreshes, `IN_FLIGHT` at once, against the bare swap. Closes both when it is done. */
export async function rotations(
  rounds: number,
  each: number,
  store: SessionStore,
  bare: BareSwaps,
): Promise<{ rotate: Comparison; refresh: Comparison }> {
  const engine = createSessionEngine({ store, secrets: [SECRET], issuer: "https://pay.example.com" });
  await engine.start();
  const tokens = await Promise.all(Array.from({ length: IN_FLIGHT }, () => signIn(engine)));
  // Only what a rotation touches: the bench goes through the protocol, not around it.
  const context = {
    store,
    keyring: createKeyring([SECRET]),
    clock: systemClock,
    random: systemRandom,
    refreshIdleTtlMs: 604_800_000,
    refreshLeewayMs: 30_000,
  } as EngineContext;

  const inFlight = (next: (token: string) => Promise<string>) => () =>
    timed(IN_FLIGHT * each, async () => {
      await Promise.all(
        tokens.map(async (_, at) => {
          for (let n = 0; n < each; n += 1) tokens[at] = await next(tokens[at] ?? "");
        }),
      );
    });
  const rotateOnce = async (token: string) => {
    const presented = readRefreshToken(context.keyring, token);
    if (presented === null) throw new Error("not authentic");
    const result = await rotate(context, { presented, presentedBy: "body", retryKey: RETRY_KEY });
    if (result.outcome !== "rotated") throw new Error(result.outcome);
    return result.refreshToken;
  };
  const refreshOnce = async (token: string) => {
    const result = await engine.refresh(token, { retryKey: RETRY_KEY });
    if (result.outcome !== "rotated") throw new Error(result.outcome);
    return result.tokens.refreshToken;
  };
  const bareRound = () => timed(IN_FLIGHT * each, () => bare.swap(each));
  try {
    return {
      rotate: await compare(rounds, inFlight(rotateOnce), bareRound),
      refresh: await compare(rounds, inFlight(refreshOnce), bareRound),
    };
  } finally {
    await engine.close();
    await bare.close();
  }
}

async function signIn(engine: ReturnType<typeof createSessionEngine>): Promise<string> {
  const challenge = { id: randomBytes(16).toString("hex"), expiresAt: Date.now() + 300_000 };
  const actor = { actorId: "GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H", challenge };
  return (await engine.signIn(actor, { transport: "body", client: CLIENT })).refreshToken;
}
