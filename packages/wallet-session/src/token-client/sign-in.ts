import { type Challenge, jsonOf } from "../client/endpoints.ts";
import { errorOf, SessionClientError } from "../client/problem.ts";

/** The auth endpoints, as a {@link SignIn} asks them. */
export interface SignInEndpoints {
  /** Where they are mounted, without a slash at the end. */
  readonly url: string;
  readonly fetch: (url: string | URL, init?: RequestInit) => Promise<Response>;
}

/**
 * Signs in and resolves with the server's answer to the signature, whatever it is. Called where there is no session, and no
 * more often: each call may ask a person to sign.
 */
export type SignIn = (endpoints: SignInEndpoints) => Promise<Response>;

/**
 * Signs in with a Stellar account (SEP-10).
 *
 * Does NOT verify the challenge: `sign` does, if it holds a key and does not trust the server. The Stellar SDK's
 * `WebAuth.readChallengeTx` tells a challenge from a transaction that moves money.
 * @param sign lets the wallet sign; resolves with the signed envelope in base64
 */
export function stellarSignIn(
  account: string,
  sign: (challenge: Challenge) => string | Promise<string>,
): SignIn {
  return async ({ url, fetch }) => {
    const asked = await fetch(`${url}/wallet?${new URLSearchParams({ account })}`);
    if (!asked.ok) throw await errorOf(asked);
    const { transaction, network_passphrase: networkPassphrase } = await jsonOf(asked);
    if (typeof transaction !== "string" || typeof networkPassphrase !== "string") {
      throw new SessionClientError("unexpected_response", "The answer is no challenge", {
        status: asked.status,
      });
    }
    const signed = await sign({ transaction, networkPassphrase });
    return fetch(`${url}/wallet`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ transaction: signed }),
    });
  };
}
