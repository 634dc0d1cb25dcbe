import { Keypair, TransactionBuilder } from "@stellar/stellar-sdk";
import { fileKey, fileStorage } from "wallet-session/node";
import { createTokenClient, stellarSignIn } from "wallet-session/token-client";

const {
  SERVICE_URL = "https://pay.example.com",
  SESSION_FILE = "./session.json",
  WALLET_SEED = "",
} = process.env;
const key = Keypair.fromSecret(WALLET_SEED);

const client = createTokenClient({
  url: `${SERVICE_URL}/api/auth`,
  storage: fileStorage(SESSION_FILE),
  dpop: { key: fileKey(`${SESSION_FILE}.key`) },
  signIn: stellarSignIn(key.publicKey(), ({ transaction, networkPassphrase }) => {
    console.error("signing in");
    const challenge = TransactionBuilder.fromXDR(transaction, networkPassphrase);
    challenge.sign(key);
    return challenge.toXDR();
  }),
});

const command = process.argv[2];
if (command === "sign-out") await client.signOut();
else console.log(await (await client.fetch("/api/auth/session")).text());
