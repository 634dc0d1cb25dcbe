"use client";

import freighter from "@stellar/freighter-api";
import { createSessionClient, sitePath } from "wallet-session/client";

const session = createSessionClient();

/** Asks the wallet for the account, then to sign the challenge. Rejects when the person says no. */
async function signIn() {
  const { address } = await freighter.requestAccess();
  await session.signIn({
    account: address,
    async sign({ transaction, networkPassphrase }) {
      const options = { networkPassphrase, address };
      return (await freighter.signTransaction(transaction, options)).signedTxXdr;
    },
  });
  // The author of the followed link chose this value.
  location.assign(sitePath(new URLSearchParams(location.search).get("next")) ?? "/account");
}

export default function SignInPage() {
  return (
    <button type="button" onClick={signIn}>
      Sign in with Freighter
    </button>
  );
}
