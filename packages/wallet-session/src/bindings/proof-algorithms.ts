/** What keys sign proofs with. `Ed25519` is the name of RFC 9864 for what `EdDSA` has meant all along. */
export const PROOF_ALGORITHMS = ["ES256", "Ed25519", "EdDSA"] as const;
export type ProofAlgorithm = (typeof PROOF_ALGORITHMS)[number];
