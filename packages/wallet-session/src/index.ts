export type { Clock, RandomBytes } from "./clock.ts";
export type { SessionAlarm } from "./engine/alarms.ts";
export { createSessionEngine, type SessionEngineOptions } from "./engine/engine.ts";
export type { StoreStepTrace } from "./engine/guarded-store.ts";
export type { LeaseEndCode, LeaseEvent, LeaseListener } from "./engine/leases.ts";
export {
  type SecurityEvent,
  type SecurityEventHandler,
  SecurityEventRefused,
} from "./engine/security-event.ts";
export type {
  AuthenticatedSession,
  EngineStats,
  IssuedTokens,
  RefreshRequest,
  RefreshResult,
  SessionEngine,
  SignInOptions,
} from "./engine/session-engine.ts";
export type { SessionStatus } from "./engine/session-status.ts";
export { ERROR_CODES, type ErrorCode } from "./error-codes.ts";
export { SessionError } from "./errors.ts";
export type { EventSink, SessionEvent } from "./events.ts";
export type * from "./store.ts";
export type { VerifiedActor, WalletMethod } from "./wallets/wallet.ts";
