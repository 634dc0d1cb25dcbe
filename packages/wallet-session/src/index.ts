/**
 * The engine, and the contracts of stores and wallets.
 *
 * Names carry their units: a duration ends in `Ms` or `Seconds`, a size in `Bytes`, and a time that ends in `At` is always
 * in epoch milliseconds.
 * @module
 */

export type { DpopRequest } from "./bindings/dpop-proof.ts";
export type { Clock, RandomBytes } from "./clock.ts";
export type { SessionEngineOptions } from "./engine/create-session-engine.ts";
export { createSessionEngine } from "./engine/create-session-engine.ts";
export type { StoreStepTrace } from "./engine/guarded-store.ts";
export type { LeaseEndCode, LeaseEvent, LeaseListener } from "./engine/lease-event.ts";
export {
  type SecurityEvent,
  type SecurityEventHandler,
  SecurityEventRefused,
} from "./engine/security-event.ts";
export type {
  AuthenticatedSession,
  AuthenticateOptions,
  BodyRefreshOptions,
  ClaimsOf,
  DeviceRefreshOptions,
  EngineStats,
  IntrospectedToken,
  IssuedTokens,
  JarRefreshOptions,
  JarRefreshResult,
  ListedSession,
  PresentedRefreshToken,
  RefreshOptions,
  RefreshResult,
  RegisteredDevice,
  SessionAlarm,
  SessionEngine,
  SessionStatus,
  SignInOptions,
  WaitingEvents,
} from "./engine/session-engine.ts";
export { ERROR_CODES, type ErrorCode } from "./error-codes.ts";
export { SessionError, SignInRefused } from "./errors.ts";
export type { EventSink, RefreshRefusal, SessionEvent } from "./events.ts";
export { type SessionId, sessionIdOf } from "./session-id.ts";
export type * from "./store.ts";
export type { JsonValue, OwnClaims } from "./tokens/own-claims.ts";
export type { AccessClaims } from "./tokens/strict-jwt.ts";
export type { VerifiedActor, WalletMethod, WalletParameters } from "./wallets/wallet.ts";
