import type { AuthPaths } from "../auth-paths.ts";
import type { ErrorCode } from "../error-codes.ts";
import { type Paths, post } from "./operation.ts";
import { ref, text } from "./schema.ts";
import * as values from "./session-schemas.ts";

/** What browsers ask by themselves, in a form of their own (Device Bound Session Credentials). */
export function devicePaths({ deviceRegister, deviceRefresh }: AuthPaths): Paths<ErrorCode> {
  const common = { tag: "Refresh", by: "refresh", errors: "device", acceptsAny: true } as const;
  const refuses = ["refresh_token_missing", ...values.REFRESH_REFUSALS, "cross_origin"] as const;
  return {
    [deviceRegister]: post({
      ...common,
      id: "registerDevice",
      summary: "A browser registers its device key",
      description: "Upon `Secure-Session-Registration`. The first proof binds the session.",
      headers: values.DEVICE_PROOF_HEADER,
      gives: ref("DeviceSession"),
      refuses: [...refuses, "not_found"],
    }),
    [deviceRefresh]: post({
      ...common,
      id: "refreshDevice",
      summary: "A browser proves its device key, and its cookies are renewed",
      description: "403 `proof_nonce` comes with the challenge to sign. Faults and limits are 503.",
      headers: { ...values.DEVICE_ID_HEADER, ...values.DEVICE_PROOF_HEADER },
      answers: {
        200: {
          description: "In cookies.",
          headers: {
            "Secure-Session-Challenge": text('"AbC_";id="AbC_"', { description: "To sign the next time." }),
          },
        },
      },
      refuses,
    }),
  };
}
