import { SessionError } from "../../errors.ts";
import { CHALLENGE_MARK_KEPT_MS, CLOCK_TOLERANCE_MS } from "../../limits.ts";
import type { VerifiedActor } from "../wallet.ts";
import { accountIdOf, actorIdOf, isSigningKey } from "./account.ts";
import { type ChallengeFields, type ChallengeServer, readChallenge } from "./challenge.ts";
import { verifySignature } from "./ed25519.ts";
import { decodeStrkey } from "./strkey.ts";
import { type DecoratedSignature, hintOf } from "./transaction.ts";

const SECOND_MS = 1_000;

export interface AnswerContext {
  readonly server: ChallengeServer;
  readonly accountSigners: AccountSigners;
  readonly challengeTtlMs: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Verifies a challenge that came back signed, cheapest and most telling check first. The server's own signature comes
 * before the clock, so that `challenge_expired` is only ever said of a challenge that was ours.
 *
 * @throws challenge_invalid, challenge_expired, signature_invalid, horizon_unavailable
 */
export async function verifyAnswer(context: AnswerContext, transaction: string): Promise<VerifiedActor> {
  const { server, accountSigners } = context;
  const { fields, hash, signatures } = readChallenge(server, transaction);
  const added = takeSignature(server.signingKey, hash, signatures);
  if (added === null) {
    throw new SessionError("challenge_invalid", "The challenge is not signed by this server.");
  }
  assertInTime(fields, context);

  const clientKey = fields.clientDomain?.key;
  const bySigners = clientKey === undefined ? added : takeSignature(clientKey, hash, added);
  if (bySigners === null) throw signatureInvalid("The client domain has not signed.");
  // Before the network is asked: an unsigned challenge causes no request to it.
  if (bySigners.length === 0) throw signatureInvalid("The account has not signed.");

  const accountId = accountIdOf(fields.account);
  const state = await accountSigners.load(accountId);
  const excluded = clientKey === undefined ? [server.signingKey] : [server.signingKey, clientKey];
  if (!satisfies(signingRule(accountId, state, excluded), hash, bySigners)) {
    throw signatureInvalid(
      "The signatures are not those of enough of the account's signers, and of no one else.",
    );
  }
  return {
    actorId: actorIdOf(fields.account, fields.memo),
    challenge: {
      id: Buffer.from(hash).toString("hex"),
      expiresAt: fields.maxTime * SECOND_MS + CHALLENGE_MARK_KEPT_MS,
    },
    action: fields.action,
  };
}

function assertInTime({ minTime, maxTime }: ChallengeFields, { challengeTtlMs, now }: AnswerContext): void {
  if ((maxTime - minTime) * SECOND_MS > challengeTtlMs) {
    throw new SessionError("challenge_invalid", "The challenge is valid for longer than this server allows.");
  }
  if (minTime * SECOND_MS > now + CLOCK_TOLERANCE_MS) {
    throw new SessionError("challenge_invalid", "The challenge is from the future.");
  }
  if (now > maxTime * SECOND_MS) {
    throw new SessionError("challenge_expired", "The challenge has expired. Ask for a new one.");
  }
}

function signatureInvalid(message: string): SessionError {
  return new SessionError("signature_invalid", message);
}

/** What the network says about who may sign for an account. */
export type AccountState =
  /** The network has no such account: its master key signs alone. */
  | { readonly exists: false }
  | {
      readonly exists: true;
      readonly signers: readonly { readonly key: string; readonly weight: number }[];
      readonly mediumThreshold: number;
    };

/** Where signers and thresholds come from. */
export interface AccountSigners {
  /**
   * The account's state now. `exists: false` only when the network said so: a fault is never "no such account".
   * @throws horizon_unavailable
   */
  load(accountId: string): Promise<AccountState>;
}

/**
 * For servers without a view of the network: every account signs with its master key alone. Does NOT notice an account
 * that has disabled its master key or shares control; such an account's old key still signs in.
 */
export const masterKeyOnly: AccountSigners = {
  load: () => Promise.resolve({ exists: false }),
};

/**
 * The rule for an account in this state. Only Ed25519 keys with weight count, and never those in `excluded`: the
 * server signs every challenge, and a client domain proves only which application asked.
 */
export function signingRule(accountId: string, state: AccountState, excluded: readonly string[]) {
  const signers = state.exists ? state.signers : [{ key: accountId, weight: 1 }];
  const counting = signers.filter(
    ({ key, weight }) => weight > 0 && isSigningKey(key) && !excluded.includes(key),
  );
  return {
    /** Which keys count, and for how much. */
    weights: new Map(counting.map(({ key, weight }) => [key, weight])),
    /** At least 1: a threshold of 0 must not let anyone in without a signature of weight. */
    required: Math.max(1, state.exists ? state.mediumThreshold : 1),
  };
}

/** Whether every signature belongs to a key of its own, and the keys' weights reach what is required. */
export function satisfies(
  rule: ReturnType<typeof signingRule>,
  message: Uint8Array,
  signatures: readonly DecoratedSignature[],
): boolean {
  const unused = new Set(rule.weights.keys());
  let weight = 0;
  for (const signature of signatures) {
    const signer = [...unused].find((key) => isSignedBy(key, message, signature));
    if (signer === undefined) return false;
    unused.delete(signer);
    weight += rule.weights.get(signer) ?? 0;
  }
  return weight >= rule.required;
}

/** The signatures without the first by this key; null when there is none. */
function takeSignature(
  key: string,
  message: Uint8Array,
  signatures: readonly DecoratedSignature[],
): readonly DecoratedSignature[] | null {
  const index = signatures.findIndex((signature) => isSignedBy(key, message, signature));
  return index === -1 ? null : signatures.toSpliced(index, 1);
}

/** Compares the hint first, which is cheap. */
function isSignedBy(key: string, message: Uint8Array, { hint, signature }: DecoratedSignature): boolean {
  const publicKey = decodeStrkey("G", key);
  return (
    publicKey !== null &&
    Buffer.from(hintOf(publicKey)).equals(hint) &&
    verifySignature(message, signature, publicKey)
  );
}
