import type { KeyObject } from "node:crypto";
import { PROOF_ALGORITHMS, type ProofAlgorithm } from "./proof-algorithms.ts";
import { isSignedBy } from "./public-key.ts";

/** Far more than any proof has, and little to parse. */
const PROOF_MAX_CHARS = 4_096;
// Each algorithm's signature has 64 bytes: 86 characters.
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}$/;

/** A proof as it came: well formed, and NOT verified. Claims that nobody asks for are ignored. */
export interface ProofJwt {
  readonly algorithm: ProofAlgorithm;
  /** `undefined` without one. */
  readonly jwk: unknown;
  readonly claims: Readonly<Record<string, unknown>>;
  /** Whether the key has signed it. */
  isSignedBy(key: KeyObject): boolean;
}

type Json = Readonly<Record<string, unknown>>;

/** Reads a signed JWT in compact form, of this `typ`. Null for another type, an algorithm that is not ours, `crit`, and any other text. */
export function readProofJwt(text: string, typ: "dpop+jwt" | "dbsc+jwt"): ProofJwt | null {
  if (text.length > PROOF_MAX_CHARS || !COMPACT.test(text)) return null;
  const [first = "", second = "", third = ""] = text.split(".");
  const header = parseObject(first);
  const claims = parseObject(second);
  if (header === null || claims === null || header.typ !== typ || "crit" in header) return null;
  const algorithm = PROOF_ALGORITHMS.find((known) => known === header.alg);
  if (algorithm === undefined) return null;
  const signature = Buffer.from(third, "base64url");
  return {
    algorithm,
    jwk: header.jwk,
    claims,
    isSignedBy: (key) => isSignedBy(key, `${first}.${second}`, signature),
  };
}

function parseObject(segment: string): Json | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(segment, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}
