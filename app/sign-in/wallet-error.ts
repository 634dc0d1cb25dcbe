/** Why a wallet did not sign, in a sentence for the person in front of it. */
export class WalletError extends Error {
  override readonly name = "WalletError";
}
