import type { SessionStore } from "../store.ts";
import { protocolCases, protocolThroughRestarts } from "./protocol-conformance.ts";
import { housekeepingCases } from "./store-conformance-housekeeping.ts";
import { operatorCases } from "./store-conformance-operators.ts";
import { proofCases } from "./store-conformance-proofs.ts";
import { revocationCases } from "./store-conformance-revocation.ts";
import { rotationCases } from "./store-conformance-rotation.ts";
import { sessionCases } from "./store-conformance-sessions.ts";
import { races, sharedDataCases } from "./store-conformance-shared.ts";

export interface StoreConformanceOptions {
  /** Registers one case. `test` of Vitest and of node:test both fit. Names are unique. */
  readonly test: (name: string, body: () => Promise<void>) => void;
  /** Opens a store with nothing in it: once per case, which closes it. */
  readonly open: () => Promise<SessionStore>;
  /**
   * Opens another connection to what `first` holds, as a second process would beside it, or a restarted one after it
   * was closed. With it, the cases of several connections and of a restart run too; leave it out for a store that
   * dies with its process.
   */
  readonly openAnother?: (first: SessionStore) => Promise<SessionStore>;
}

/**
 * Registers the cases that every implementation of `SessionStore` has to pass, races included: each step of the contract by
 * itself, then the promises of the protocol with the real engine on the store. Registers only: the runner that `test`
 * belongs to runs them, each on a store of its own.
 *
 * What it does NOT check: durability through a loss of power, faults (a full disk, a lost connection: the step must
 * reject), and speed. Times are fixed values; the suite neither reads a clock nor waits.
 *
 * @example
 * ```ts
 * import type { SessionStore } from "wallet-session";
 * import { storeConformance } from "wallet-session/testing";
 * import { test } from "node:test";
 *
 * declare function openEmptyStore(): Promise<SessionStore>;
 *
 * storeConformance({ test: (name, body) => void test(name, body), open: openEmptyStore });
 * ```
 */
export function storeConformance({ test, open, openAnother }: StoreConformanceOptions): void {
  const cases = {
    ...sessionCases,
    ...rotationCases,
    ...revocationCases,
    ...operatorCases,
    ...proofCases,
    ...housekeepingCases,
    ...protocolCases,
    ...races,
  };
  for (const [name, run] of Object.entries(cases)) {
    test(name, async () => {
      const store = await open();
      try {
        await run(store);
      } finally {
        await store.close();
      }
    });
  }
  if (openAnother === undefined) return;

  const shared = {
    ...sharedDataCases,
    "protocol: the process restarts between any two steps": protocolThroughRestarts,
  };
  const apart: typeof sharedDataCases = {};
  for (const [name, race] of Object.entries(races)) {
    apart[`two connections: ${name}`] = async (first, another) => race(first, await another());
  }
  for (const [name, run] of Object.entries({ ...shared, ...apart })) {
    test(name, async () => {
      const first = await open();
      const opened = [first];
      const another = async () => {
        const store = await openAnother(first);
        opened.push(store);
        return store;
      };
      try {
        await run(first, another);
      } finally {
        for (const store of opened) await store.close();
      }
    });
  }
}
