import { systemClock, systemRandom } from "../packages/wallet-session/src/clock.ts";
import type { EngineContext } from "../packages/wallet-session/src/engine/context.ts";
import { rotate } from "../packages/wallet-session/src/engine/rotate.ts";
import type { SessionStore } from "../packages/wallet-session/src/store.ts";
import { readRefreshToken } from "../packages/wallet-session/src/tokens/refresh-token.ts";
import { createKeyring } from "../packages/wallet-session/src/tokens/secrets.ts";
import { RETRY_KEY, refreshed, SECRET, signIn, startEngine } from "./engine.ts";
import { type Comparison, compare, timed } from "./measure.ts";

export const IN_FLIGHT = 32;

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
  const engine = await startEngine(store);
  const tokens = await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => (await signIn(engine)).refreshToken),
  );
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
    const result = await rotate(context, {
      presented,
      presentedBy: "body",
      retryKey: RETRY_KEY,
      proof: null,
    });
    if (result.outcome !== "rotated") throw new Error(result.outcome);
    return result.refreshToken;
  };
  const bareRound = () => timed(IN_FLIGHT * each, () => bare.swap(each));
  try {
    return {
      rotate: await compare(rounds, inFlight(rotateOnce), bareRound),
      refresh: await compare(
        rounds,
        inFlight((token) => refreshed(engine, token)),
        bareRound,
      ),
    };
  } finally {
    await engine.close();
    await bare.close();
  }
}
