import type { Challenge } from "wallet-session/client";
import { openDemoWallet } from "./demo-wallet.ts";
import { DeclinedError, WalletError } from "./wallet-error.ts";

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

/** Freighter's code for "the person said no". */
const DECLINED = -4;

const NETWORK_NAMES: Record<string, string> = {
  "Public Global Stellar Network ; September 2015": "the public network",
  "Test SDF Network ; September 2015": "Testnet",
  "Test SDF Future Network ; October 2022": "Futurenet",
};

const freighterApi = () => import("@stellar/freighter-api");

/** Whether the extension answers in this browser. It takes up to two seconds to learn that it does not. */
export async function isInstalled(): Promise<boolean> {
  const { isConnected } = await freighterApi();
  return (await isConnected()).isConnected;
}

/** Tells the account that is active in Freighter, now and whenever it changes, if this site may see it. */
export async function watchAccount(onChange: (account: string) => void): Promise<() => void> {
  const { isAllowed, WatchWalletChanges } = await freighterApi();
  if (!(await isAllowed()).isAllowed) return () => {};
  const watcher = new WatchWalletChanges(2_000);
  watcher.watch(({ address }) => onChange(address));
  return () => watcher.stop();
}

/** Asks for the account that is active now. @throws WalletError */
async function requestAccount(): Promise<string> {
  const { requestAccess } = await freighterApi();
  const { address, error } = await requestAccess();
  if (error !== undefined)
    throw fromFreighter(error, "You did not share your account, so nothing was signed.");
  if (address === "") throw new WalletError("Freighter has no account to share. Unlock it and try again.");
  return address;
}

/** Has Freighter sign the challenge as `account`. @throws WalletError */
async function signWithFreighter(account: string, challenge: Challenge): Promise<string> {
  const { getNetworkDetails, signTransaction } = await freighterApi();
  const { networkPassphrase, error: networkError } = await getNetworkDetails();
  if (networkError !== undefined) throw fromFreighter(networkError, "Freighter did not tell its network.");
  if (networkPassphrase !== challenge.networkPassphrase) {
    throw new WalletError(
      `Freighter is on ${networkName(networkPassphrase)}, and StreamPay is on ${networkName(challenge.networkPassphrase)}. ` +
        "Switch the network in Freighter and try again.",
    );
  }
  const { signedTxXdr, signerAddress, error } = await signTransaction(challenge.transaction, {
    address: account,
    networkPassphrase,
  });
  if (error !== undefined)
    throw fromFreighter(error, "You declined the signature, so you are not signed in.");
  if (signerAddress !== "" && signerAddress !== account) {
    throw new WalletError(
      "The account in Freighter changed while it was signing. Try again with the one you want.",
    );
  }
  return signedTxXdr;
}

function networkName(passphrase: string): string {
  return NETWORK_NAMES[passphrase] ?? `“${passphrase}”`;
}

function fromFreighter(error: { code: number; message: string }, whenDeclined: string): WalletError {
  if (error.code === DECLINED) return new DeclinedError(whenDeclined);
  return new WalletError(`Freighter could not do it: ${error.message}`);
}
