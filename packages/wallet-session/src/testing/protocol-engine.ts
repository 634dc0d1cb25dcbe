import { randomUUID } from "node:crypto";
import { createSessionEngine } from "../engine/create-session-engine.ts";
import type { IssuedTokens, JarRefreshResult } from "../engine/session-engine.ts";
import type { ErrorCode } from "../error-codes.ts";
import { SessionError } from "../errors.ts";
import type { SessionStore, Transport } from "../store.ts";
import { createManualClock, type ManualClock } from "./manual-clock.ts";

const SECRET = "a secret of the conformance suite, good for nothing else";
const ISSUER = "https://conformance.example";
const ACTOR = "GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H";
const CLIENT = { browser: null, os: null, device: null, ip: null };

interface Presentation {
  readonly retryKey?: string;
  readonly presentedBy?: Transport;
}

/** The real engine on a store under examination, its clock in the case's hands. */
export async function engineOn(store: SessionStore, clock: ManualClock = createManualClock()) {
  let alarms = 0;
  let tellRotated = () => {};
  const engine = createSessionEngine({
    store,
    secrets: [SECRET],
    issuer: ISSUER,
    clock,
    every: () => () => {},
    onEvent: (event) => {
      if (event.type === "reuse_detected") alarms += 1;
    },
    onStoreStep: () => (outcome) => {
      if (outcome === "rotated") tellRotated();
    },
  });
  await engine.start();

  const signIn = (transport: Transport = "body"): Promise<IssuedTokens> => {
    const challenge = { id: randomUUID(), expiresAt: clock.now() + 300_000 };
    return engine.signIn({ actorId: ACTOR, challenge }, { transport, client: CLIENT });
  };
  const refresh = (token: string, how: Presentation = {}): Promise<JarRefreshResult> => {
    const options = { retryKey: how.retryKey ?? null };
    return how.presentedBy === "cookie" ? engine.refreshJar(token, options) : engine.refresh(token, options);
  };
  /** The tokens that a refresh must issue. */
  const tokens = async (token: string, how?: Presentation): Promise<IssuedTokens> => {
    const result = await refresh(token, how);
    if (result.outcome === "unchanged") throw new Error("expected tokens, the jar was left unchanged");
    return result.tokens;
  };
  /** Calls `then` at the next swap that hits, before its refresh is answered. */
  const onceRotated = (then: () => void): void => {
    tellRotated = () => {
      tellRotated = () => {};
      then();
    };
  };
  return { engine, clock, signIn, refresh, tokens, onceRotated, alarms: () => alarms };
}

export type ProtocolEngine = Awaited<ReturnType<typeof engineOn>>;

/** The code that a call was refused with; `none` when it was not. */
export async function codeOf(call: Promise<unknown>): Promise<ErrorCode | "none"> {
  try {
    await call;
    return "none";
  } catch (error) {
    if (error instanceof SessionError) return error.code;
    throw error;
  }
}
