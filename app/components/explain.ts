import { SessionClientError } from "wallet-session/client";
import { WalletError } from "../sign-in/wallet-error.ts";

const NOT_RENEWED = "Your session could not be renewed just now. Try again in a moment.";

/** The server's codes, in words for the person at the page. */
const SENTENCES: Record<string, string> = {
  network_error: "The server could not be reached. Check your connection and try again.",
  unexpected_response:
    "Something between this page and the server gave a strange answer. Try again in a moment.",
  cookies_not_kept:
    "Your browser keeps no cookies of this page, so it could not stay signed in. Open the page by https, and allow its cookies.",
  // These reach a person only if the renewal that cures them was not decided.
  access_token_missing: NOT_RENEWED,
  access_token_invalid: NOT_RENEWED,
  access_token_expired: NOT_RENEWED,
  invalid_request: "The server did not accept what was sent. Check it and try again.",
  challenge_invalid: "The server did not recognise what was signed. Try again.",
  challenge_expired: "The signature came too late. Try again, and sign within five minutes.",
  challenge_used: "This signature has been used before. Try again with a new one.",
  signature_invalid: "The signature is not enough to speak for this account. Sign with its own key.",
  insufficient_user_authentication: "This needs a signature of your wallet.",
  cross_origin: "The server takes sign-ins only from its own pages. Open StreamPay by its usual address.",
  rate_limited: "There were too many attempts. Wait a minute and try again.",
  store_unavailable: "The server is not able to keep sessions at the moment. Try again in a moment.",
  horizon_unavailable: "The Stellar network could not be asked about this account. Try again in a moment.",
  not_found: "It is not there any more, or it is not yours to see.",
  not_permitted: "That is for the other side of this stream to do.",
  stream_state: "The stream has changed since, and does not allow this any more.",
  settlement_refused:
    "What the recipient has earned cannot be paid out as things are, so nothing was changed.",
  operation_state: "The operation has changed since, and does not allow this any more.",
  version_conflict: "The stream has changed since you looked. You see it as it is now; decide again.",
  signature_required: "This needs a signature of your wallet, made after the pause.",
};

/** A sentence for an error, never a stack or a code. */
export function explain(error: unknown): string {
  if (error instanceof WalletError) return error.message;
  if (error instanceof SessionClientError) return SENTENCES[error.code] ?? "That did not work. Try again.";
  return "That did not work. Try again.";
}
