export type { Clock, RandomBytes } from "./clock.ts";
export {
  type AuthenticatedSession,
  createSessionEngine,
  type IssuedTokens,
  type RefreshRequest,
  type RefreshResult,
  type SessionEngine,
  type SessionEngineOptions,
  type SignInOptions,
} from "./engine/engine.ts";
export type { EventSink, SessionEvent } from "./engine/events.ts";
export { ERROR_CODES, type ErrorCode, SessionError } from "./errors.ts";
export type * from "./store.ts";
export type { VerifiedActor, WalletMethod } from "./wallets/wallet.ts";
