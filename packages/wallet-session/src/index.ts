export type { Clock, RandomBytes } from "./clock.ts";
export { createSessionEngine, type SessionEngineOptions } from "./engine/engine.ts";
export type {
  AuthenticatedSession,
  IssuedTokens,
  RefreshRequest,
  RefreshResult,
  SessionEngine,
  SignInOptions,
} from "./engine/session-engine.ts";
export { ERROR_CODES, type ErrorCode, SessionError } from "./errors.ts";
export type { EventSink, SessionEvent } from "./events.ts";
export type * from "./store.ts";
export type { VerifiedActor, WalletMethod } from "./wallets/wallet.ts";
