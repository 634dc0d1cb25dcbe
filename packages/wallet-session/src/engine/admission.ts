import { type Binding, readBinding } from "../bindings/binding.ts";
import type { RotationProof } from "./proofs.ts";

/** How a token and its proof stand to the key that the session is bound to. */
export type Admission =
  /** The session is bound to none, or the proof is by its key. `binding`: what the row says. */
  | { readonly admits: "as it is"; readonly binding: string | null; readonly proven: boolean }
  /** The session is bound to none, and the proof is by the key that its browser has just registered. */
  | { readonly admits: "and binds"; readonly binding: string }
  /** The key was registered when the session had not come as far: whose it is, nobody can tell any more. */
  | { readonly admits: "nothing"; readonly why: "late_registration" }
  | { readonly admits: "nothing"; readonly why: "proof_missing" | "other_key" }
  /** No proof, but a token from before the session was bound, at `boundAt`: it is spent, and judged as one. */
  | { readonly admits: "nothing"; readonly why: "bound_since"; readonly boundAt: number };

/**
 * Judges by the key, before anything is made of the token's generation (docs/protocol.md, "Bound sessions").
 * @param presented the generation of the token
 * @param current the generation at which the session stands
 */
export function admission(
  rowBinding: string | null,
  proof: RotationProof | null,
  presented: number,
  current: number,
): Admission {
  const binding = readBinding(rowBinding);
  if (rowBinding === null || binding === null) {
    if (proof?.kind !== "device") return { admits: "as it is", binding: null, proven: false };
    const registered = readBinding(proof.binding);
    // Never judged as a request without a proof: the page has refreshed beside it, and retries by its own key.
    const isOfNow =
      registered?.kind === "device" && registered.unboundUpTo === presented && presented === current;
    return isOfNow
      ? { admits: "and binds", binding: proof.binding }
      : { admits: "nothing", why: "late_registration" };
  }
  if (proof !== null) {
    return isBy(binding, rowBinding, proof)
      ? { admits: "as it is", binding: rowBinding, proven: true }
      : { admits: "nothing", why: "other_key" };
  }
  if (binding.kind !== "device" || presented > binding.unboundUpTo)
    return { admits: "nothing", why: "proof_missing" };
  return { admits: "nothing", why: "bound_since", boundAt: binding.unboundUpTo + 1 };
}

function isBy(binding: Binding, rowBinding: string, proof: RotationProof): boolean {
  if (rowBinding === proof.binding) return true;
  // The proof does not know what the key is proved for.
  return binding.kind === "dpop" && proof.binding === `dpop:${binding.thumbprint}`;
}
