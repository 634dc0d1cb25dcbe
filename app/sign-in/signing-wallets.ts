import type { Challenge } from "wallet-session/client";
import { openDemoWallet } from "./demo-wallet.ts";
import { isInstalled, requestAccount, signWithFreighter } from "./freighter.ts";
import { WalletError } from "./wallet-error.ts";

export type WalletName = "freighter" | "demo";

/** A way to sign: which account, and how. Both may throw WalletError. */
export interface SigningWallet {
  readonly name: WalletName;
  account(): Promise<string>;
  sign(account: string, challenge: Challenge): Promise<string>;
}

export const FREIGHTER: SigningWallet = {
  name: "freighter",
  account: async () => {
    if (!(await isInstalled()))
      throw new WalletError("Freighter does not answer. Install or enable it first.");
    return requestAccount();
  },
  sign: signWithFreighter,
};

export const DEMO_WALLET: SigningWallet = {
  name: "demo",
  account: async () => (await openDemoWallet(localStorage)).account,
  sign: async (_, challenge) => (await openDemoWallet(localStorage)).sign(challenge),
};

/** The wallet that this browser signed in with last, to sign again without choosing. */
const LAST_USED = "streampay.wallet";

export function rememberWallet({ name }: SigningWallet): void {
  localStorage.setItem(LAST_USED, name);
}

export function walletUsedLast(): SigningWallet {
  return localStorage.getItem(LAST_USED) === DEMO_WALLET.name ? DEMO_WALLET : FREIGHTER;
}
