import { contractOf, documentedFetch } from "../../test/contract.ts";
import { createHandlers } from "../http.ts";
import { createSessionEngine, type SessionEvent } from "../index.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { createManualClock, createWalletKeypair } from "../testing.ts";
import { createStellarWallet, masterKeyOnly } from "../wallets/stellar.ts";

export const ORIGIN = "https://pay.example.com";

/** The real handlers over a store in memory, with a clock that is moved by hand. */
export async function startServer() {
  const clock = createManualClock();
  const events: SessionEvent[] = [];
  const engine = createSessionEngine({
    store: createMemoryStore(),
    secrets: ["a secret of the tests that is long enough to be one"],
    issuer: ORIGIN,
    clock,
    every: () => () => {},
    onEvent: (event) => events.push(event),
  });
  await engine.start();
  const wallet = createStellarWallet({
    signingSeed: createWalletKeypair().seed,
    networkPassphrase: "Test SDF Network ; September 2015",
    homeDomain: "pay.example.com",
    webAuthEndpoint: `${ORIGIN}/api/auth/wallet`,
    accountSigners: masterKeyOnly,
    clock,
  });
  const made = createHandlers({ engine, wallet, publicUrl: new URL(ORIGIN), clock, rateLimit: false });
  const handlers = { ...made, fetch: documentedFetch(contractOf, made.fetch) };
  return { engine, handlers, events, clock };
}
