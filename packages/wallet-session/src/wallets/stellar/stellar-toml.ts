export interface StellarTomlFields {
  readonly networkPassphrase: string;
  readonly signingKey: string;
  readonly homeDomain: string;
  readonly webAuthEndpoint: string;
}

/**
 * The stellar.toml of SEP-1 that a SEP-10 client needs to find and check this server. `[DOCUMENTATION]` is there because
 * common clients fail without it.
 */
export function stellarToml({
  networkPassphrase,
  signingKey,
  homeDomain,
  webAuthEndpoint,
}: StellarTomlFields): string {
  return `VERSION="2.7.0"
NETWORK_PASSPHRASE=${tomlString(networkPassphrase)}
SIGNING_KEY=${tomlString(signingKey)}
WEB_AUTH_ENDPOINT=${tomlString(webAuthEndpoint)}
ACCOUNTS=[]

[DOCUMENTATION]
ORG_NAME=${tomlString(homeDomain)}
ORG_URL=${tomlString(new URL(webAuthEndpoint).origin)}
`;
}

/** A JSON string is a TOML basic string, all but DEL, which TOML wants escaped. */
function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}
