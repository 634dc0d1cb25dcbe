import type { BrowserContext } from "playwright-core";
import { createWalletKeypair, type WalletKeypair } from "wallet-session/testing";

const TESTNET = "Test SDF Network ; September 2015";

interface Refusal {
  readonly code: number;
  readonly message: string;
}

/** What Freighter answers when the person says no. */
const DECLINED: Refusal = { code: -4, message: "The user rejected this request." };

/** A request of the page: those of its members that the answer depends on. */
interface WalletRequest {
  readonly type: string;
  readonly transactionXdr?: string;
  readonly networkPassphrase?: string;
  readonly accountToSign?: string;
}

/** What the extension and the person in front of it do. Changed by a test at any time, also between two requests. */
export interface FreighterWallet {
  /** The account that is active; null while the wallet is locked or empty. */
  key: WalletKeypair | null;
  networkPassphrase: string;
  /** Whether the site was given the account before. */
  allowed: boolean;
  sharesAccount: boolean;
  signs: boolean;
  /** Older versions do not say which account has signed. */
  namesSigner: boolean;
  /** Runs before a request of this type is answered. */
  before: Partial<Record<string, () => void>>;
  /** The types of the requests so far, but for those that ask whether it is there. */
  readonly asked: readonly string[];
}

/**
 * Puts the extension's end of Freighter's page protocol into every page of the context: messages to the page's own
 * window, answered under the id that they came with. What is asked is decided, and signed with a real key, out here.
 */
export async function installFreighter(context: BrowserContext): Promise<FreighterWallet> {
  const asked: string[] = [];
  const wallet: FreighterWallet = {
    key: createWalletKeypair(),
    networkPassphrase: TESTNET,
    allowed: false,
    sharesAccount: true,
    signs: true,
    namesSigner: true,
    before: {},
    asked,
  };
  await context.exposeFunction("askFreighter", (request: WalletRequest) => {
    asked.push(request.type);
    wallet.before[request.type]?.();
    return answer(wallet, request);
  });
  await context.addInitScript(() => {
    window.addEventListener("message", async ({ source, data }) => {
      if (source !== window || data?.source !== "FREIGHTER_EXTERNAL_MSG_REQUEST") return;
      // Whether it is there, the extension says from inside the page. The library waits for that no longer than two seconds.
      const reply =
        data.type === "REQUEST_CONNECTION_STATUS"
          ? { isConnected: true }
          : await Reflect.get(window, "askFreighter")(data);
      // Spelled so by the extension and by its library alike.
      const message = { source: "FREIGHTER_EXTERNAL_MSG_RESPONSE", messagedId: data.messageId, ...reply };
      window.postMessage(message, location.origin);
    });
  });
  return wallet;
}

function answer(wallet: FreighterWallet, request: WalletRequest): object {
  const publicKey = wallet.key?.account ?? "";
  switch (request.type) {
    case "REQUEST_ALLOWED_STATUS":
      return { isAllowed: wallet.allowed };
    case "REQUEST_PUBLIC_KEY":
      return { publicKey: wallet.allowed ? publicKey : "" };
    case "REQUEST_ACCESS":
      if (!wallet.sharesAccount) return { publicKey: "", apiError: DECLINED };
      wallet.allowed = true;
      return { publicKey };
    case "REQUEST_NETWORK_DETAILS": {
      const { networkPassphrase } = wallet;
      return { networkDetails: { network: "", networkName: "", networkUrl: "", networkPassphrase } };
    }
    case "SUBMIT_TRANSACTION":
      return sign(wallet, request);
    default:
      throw new Error(`Freighter does not know ${request.type}.`);
  }
}

/** Signs with the account that is active now, as the extension does, whichever was asked for. */
function sign({ key, signs, namesSigner }: FreighterWallet, request: WalletRequest): object {
  const { transactionXdr = "", networkPassphrase = "" } = request;
  if (key === null || !signs) return { signedTransaction: "", signerAddress: "", apiError: DECLINED };
  return {
    signedTransaction: key.sign({ transaction: transactionXdr, network_passphrase: networkPassphrase }),
    signerAddress: namesSigner ? key.account : "",
  };
}
