"use client";

import freighter from "@stellar/freighter-api";
import { createSessionClient, sitePath } from "wallet-session/client";

const session = createSessionClient();

async function signIn() {
  const { address } = await freighter.requestAccess();
  await session.signIn({
    account: address,
    sign: async ({ transaction, networkPassphrase }) =>
      (await freighter.signTransaction(transaction, { networkPassphrase, address })).signedTxXdr,
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
