import { expect, vi } from "vitest";
import type { SessionStore } from "wallet-session";
import { judge, outcomes, refusalLags } from "./instances.ts";
import type { Installation } from "./wallets.ts";

/** Every load brings these about, sooner or later. */
const ALWAYS_HAPPENS = ["refresh 200", "refresh lost", "check 200", "end 204", "theft refresh_token_reused"];
const GIVEN_UP_AFTER_MS = 90_000;

/** Resolves when all of that has happened, and when so many sessions have ended and were then refused at every instance. */
export async function untilUsed({ exchanges }: Installation, endings: number): Promise<void> {
  await vi.waitFor(
    () => {
      expect(outcomes(exchanges)).toMatchObject(
        Object.fromEntries(ALWAYS_HAPPENS.map((outcome) => [outcome, expect.any(Number)])),
      );
      expect(refusalLags(exchanges).length).toBeGreaterThanOrEqual(endings);
    },
    { timeout: GIVEN_UP_AFTER_MS, interval: 100 },
  );
}

/**
 * Every promise held under the load. Prints how soon an ended session's access token was refused
 * everywhere. Closes the store.
 */
export async function expectKept(
  name: string,
  installation: Installation,
  store: SessionStore,
): Promise<void> {
  const broken = await judge(installation, store).finally(() => store.close());
  const { exchanges, signIns } = installation;
  const lags = refusalLags(exchanges);
  const at = (share: number) => Math.round(lags[Math.floor(share * (lags.length - 1))] ?? Number.NaN);
  const seen = outcomes(exchanges);
  console.log(
    `${name}: ${exchanges.length} requests, ${signIns.length} sign-ins; an ended session's access token is refused ` +
      `everywhere after p50 ${at(0.5)}, p99 ${at(0.99)}, at most ${at(1)} ms (${lags.length} sessions); ${JSON.stringify(seen)}`,
  );
  expect(broken).toEqual([]);
}
