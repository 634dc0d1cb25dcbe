export { createManualClock, type ManualClock } from "./testing/manual-clock.ts";
export { type SignedInAs, signInAs } from "./testing/sign-in-as.ts";
export { type StoreConformanceOptions, storeConformance } from "./testing/store-conformance.ts";
export { createWalletKeypair, type WalletKeypair } from "./testing/wallet-keypair.ts";
