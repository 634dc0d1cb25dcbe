import { isSigningKey } from "./account.ts";
import { verifySignature } from "./ed25519.ts";
import { decodeStrkey } from "./strkey.ts";
import { type DecoratedSignature, hintOf } from "./transaction.ts";

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

/** Which keys count for an account, and what their weights must reach together. */
export interface SigningRule {
  readonly weights: ReadonlyMap<string, number>;
  /** At least 1: a threshold of 0 must not let anyone in without a signature of weight. */
  readonly required: number;
}

/**
 * The rule for an account in this state. Only Ed25519 keys with weight count, and never those in `excluded`: the
 * server signs every challenge, and a client domain proves only which application asked.
 */
export function signingRule(
  accountId: string,
  state: AccountState,
  excluded: readonly string[],
): SigningRule {
  const signers = state.exists ? state.signers : [{ key: accountId, weight: 1 }];
  const counting = signers.filter(
    ({ key, weight }) => weight > 0 && isSigningKey(key) && !excluded.includes(key),
  );
  return {
    weights: new Map(counting.map(({ key, weight }) => [key, weight])),
    required: Math.max(1, state.exists ? state.mediumThreshold : 1),
  };
}

/** Whether every signature belongs to a key of its own, and the keys' weights reach what is required. */
export function satisfies(
  rule: SigningRule,
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
export function takeSignature(
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
