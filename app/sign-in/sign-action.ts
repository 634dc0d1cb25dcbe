import type { SessionClient } from "wallet-session/client";
import { read } from "../components/request.ts";
import { walletUsedLast, wrongAccount } from "./use-sign-in.ts";

interface ActionChallenge {
  readonly transaction: string;
  readonly network_passphrase: string;
}

/**
 * Has the wallet that signed in sign for one action. Resolves with what the request carries as `Step-Up`.
 * @param action the hash that the refusal named
 * @throws WalletError, SessionClientError
 */
export async function signAction(client: SessionClient, actorId: string, action: string): Promise<string> {
  const wallet = walletUsedLast();
  const [account = "", memo] = actorId.split(":");
  if ((await wallet.account()) !== account) throw wrongAccount(account);
  const query = new URLSearchParams({ account, ...(memo !== undefined && { memo }), action });
  const challenge = await read<ActionChallenge>(client, `/api/auth/wallet?${query}`);
  const transaction = await wallet.sign(account, {
    transaction: challenge.transaction,
    networkPassphrase: challenge.network_passphrase,
  });
  return btoa(JSON.stringify({ transaction })).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
