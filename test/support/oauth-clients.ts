import { exportJWK, SignJWT } from "jose";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";
import type { AppServer } from "./app-server.ts";
import type { SessionClient, Tokens } from "./session-client.ts";

/** Who may introspect. What is no letter has to be form-encoded in the header. */
export const INTROSPECTOR = { id: "boats", secret: "a secret: 100% & + of the boats" };
export const INTROSPECTION_CLIENTS = `api:another-secret-of-the-api,${INTROSPECTOR.id}:${INTROSPECTOR.secret}`;
/** The servers of the tests speak http. */
export const insecure = { [oauth.allowInsecureRequests]: true };

/** A session that is bound to the key, signed in with a proof of it. */
export async function signInWith(
  { server, client }: { readonly server: AppServer; readonly client: SessionClient },
  { privateKey, publicKey }: oauth.CryptoKeyPair,
): Promise<Tokens> {
  const proof = await new SignJWT({
    htu: `${server.publicUrl}/api/auth/wallet`,
    htm: "POST",
    jti: crypto.randomUUID(),
  })
    .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk: await exportJWK(publicKey) })
    .setIssuedAt()
    .sign(privateKey);
  return client.signIn(undefined, { DPoP: proof });
}

/** openid-client, configured by the metadata of the server. */
export function discovered(
  { publicUrl }: AppServer,
  client: { id: string; secret?: string } = { id: "app" },
): Promise<openid.Configuration> {
  const authentication =
    client.secret === undefined ? openid.None() : openid.ClientSecretBasic(client.secret);
  return openid.discovery(new URL(publicUrl), client.id, undefined, authentication, {
    algorithm: "oauth2",
    execute: [openid.allowInsecureRequests],
  });
}
