import type { Target } from "./fuzz.ts";
import { PROOF_TARGETS } from "./proof-targets.ts";
import { REQUEST_TARGETS } from "./request-targets.ts";
import { SERVICE_TARGETS } from "./service-target.ts";
import { TOKEN_TARGETS } from "./token-targets.ts";
import { WALLET_TARGETS } from "./wallet-targets.ts";

/** Each parser of what strangers send, and the service around them. */
export const TARGETS: readonly Target[] = [
  ...TOKEN_TARGETS,
  ...PROOF_TARGETS,
  ...WALLET_TARGETS,
  ...REQUEST_TARGETS,
  ...SERVICE_TARGETS,
];
