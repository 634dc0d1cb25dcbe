/** Why a wallet did not sign, in a sentence for the person in front of it. */
export class WalletError extends Error {
  override readonly name: string = "WalletError";
}

/** The person said no, which is no fault of anything. */
export class DeclinedError extends WalletError {
  override readonly name = "DeclinedError";
}
