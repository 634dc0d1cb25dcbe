import { Keypair, TransactionBuilder } from "@stellar/stellar-sdk";
import { exportJWK, SignJWT } from "jose";
import * as oauth from "openid-client";

const { ISSUER = "https://pay.example.com", WALLET_SEED = "" } = process.env;
const issuer = new URL(ISSUER);
const config = await oauth.discovery(issuer, "boats", undefined, oauth.None(), {
  algorithm: "oauth2",
  execute: issuer.protocol === "http:" ? [oauth.allowInsecureRequests] : [],
});
const key = await oauth.randomDPoPKeyPair("ES256");
const DPoP = oauth.getDPoPHandle(config, key);

/** SEP-10, with a proof that binds the session to the key. */
async function signIn(wallet: Keypair): Promise<string> {
  const url = new URL("/api/auth/wallet", issuer);
  const challenge = await (await fetch(`${url}?account=${wallet.publicKey()}`)).json();
  const transaction = TransactionBuilder.fromXDR(challenge.transaction, challenge.network_passphrase);
  transaction.sign(wallet);
  const proof = await new SignJWT({ htm: "POST", htu: url.href, jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk: await exportJWK(key.publicKey) })
    .setIssuedAt()
    .sign(key.privateKey);
  const body = new URLSearchParams({ transaction: transaction.toXDR() });
  const answer = await fetch(url, { method: "POST", headers: { DPoP: proof }, body });
  const { refresh_token, detail } = await answer.json();
  if (!answer.ok) throw new Error(detail);
  return refresh_token;
}

/** After a lost answer, call it again with the same token. */
function renew(refreshToken: string) {
  return oauth.refreshTokenGrant(config, refreshToken, undefined, { DPoP });
}

const refreshToken = await signIn(Keypair.fromSecret(WALLET_SEED));
const tokens = await renew(refreshToken);
const url = new URL("/api/auth/session", issuer);
const session = await oauth.fetchProtectedResource(config, tokens.access_token, url, "GET", null, undefined, {
  DPoP,
});
console.log(await session.text());
await oauth.tokenRevocation(config, tokens.refresh_token ?? refreshToken);
