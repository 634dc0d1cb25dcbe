import freighter from "@stellar/freighter-api";
import { createTokenClient, indexedDbKey, memoryStorage, stellarSignIn } from "wallet-session/token-client";

export const client = createTokenClient({
  url: `${import.meta.env.VITE_API_ORIGIN ?? "http://localhost:3000"}/api/auth`,
  storage: memoryStorage(),
  dpop: { key: indexedDbKey() },
});

export async function signIn() {
  const { address } = await freighter.requestAccess();
  return client.signIn(
    stellarSignIn(address, async ({ transaction, networkPassphrase }) => {
      const signed = await freighter.signTransaction(transaction, { networkPassphrase, address });
      return signed.signedTxXdr;
    }),
  );
}

export async function boats(): Promise<unknown> {
  const response = await client.fetch("/api/boats");
  return response.json();
}
