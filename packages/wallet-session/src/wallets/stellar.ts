export { type AccountSigners, type AccountState, masterKeyOnly } from "./stellar/answer.ts";
export type { StellarChallengeRequest } from "./stellar/challenge.ts";
export { type ClientDomainIo, clientDomainKeyResolver } from "./stellar/client-domain.ts";
export { type HorizonOptions, horizonSigners } from "./stellar/horizon.ts";
export {
  createStellarWallet,
  type StellarAnswer,
  type StellarChallenge,
  type StellarWallet,
  type StellarWalletOptions,
} from "./stellar/wallet.ts";
