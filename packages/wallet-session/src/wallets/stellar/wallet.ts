import { type Clock, type RandomBytes, systemClock, systemRandom } from "../../clock.ts";
import { SessionError } from "../../errors.ts";
import { CHALLENGE_TTL_MS } from "../../limits.ts";
import type { VerifiedActor, WalletMethod } from "../wallet.ts";
import type { AccountSigners } from "./answer.ts";
import { verifyAnswer } from "./answer.ts";
import {
  buildChallenge,
  type ChallengeServer,
  readChallengeRequest,
  type StellarChallengeRequest,
} from "./challenge.ts";
import { clientDomainKeyResolver } from "./client-domain.ts";
import { keypairFromSeed } from "./ed25519.ts";
import { DATA_ENTRY_MAX_BYTES, encodeEnvelope, hashOf, sign } from "./transaction.ts";

const SECOND_MS = 1_000;
const NONCE_BYTES = 48;

export interface StellarWalletOptions {
  /** The S… seed that signs challenges. */
  readonly signingSeed: string;
  readonly networkPassphrase: string;
  /** The domain that people sign in to; its stellar.toml names the signing key. At most 59 bytes. */
  readonly homeDomain: string;
  /** The URL of the sign-in endpoint, for stellar.toml. */
  readonly webAuthEndpoint: string;
  /** What clients compare the host of the endpoint with. @default the host name of `webAuthEndpoint` without its port */
  readonly webAuthDomain?: string;
  readonly accountSigners: AccountSigners;
  /** Finds the SIGNING_KEY of a client domain; rejects when there is none. @default {@link clientDomainKeyResolver} */
  readonly clientDomainKey?: (domain: string) => Promise<string>;
  readonly clock?: Clock;
  readonly random?: RandomBytes;
  /** How long a challenge can be answered; whole seconds. @default 5 minutes */
  readonly challengeTtlMs?: number;
}

export interface StellarChallenge {
  /** A transaction envelope in base64 XDR, signed by the server. */
  readonly transaction: string;
  readonly network_passphrase: string;
}

export interface StellarAnswer {
  /** The challenge's envelope with the client's signatures added. */
  readonly transaction?: string | undefined;
}

export interface StellarWallet extends WalletMethod {
  challenge(request: StellarChallengeRequest): Promise<StellarChallenge>;
  verify(answer: StellarAnswer): Promise<VerifiedActor>;
  /** `stellar.toml` (SEP-1). */
  readonly wellKnown: { readonly "stellar.toml": string };
  /** The public key that signs challenges, G…. */
  readonly signingKey: string;
}

/**
 * Sign-in by SEP-10, Stellar Web Authentication, in its strict reading: `verify` accepts only what `challenge` built,
 * within its time bounds, with every signature accounted for and the account's medium threshold reached.
 *
 * Holds no state, so any number of calls and of servers with the same options work side by side. Does NOT enforce
 * single use: consume `VerifiedActor.challenge` in the step that creates the session.
 *
 * @throws TypeError for options that cannot work
 * @see https://github.com/stellar/stellar-protocol/blob/master/ecosystem/sep-0010.md
 *
 * @example
 * ```ts
 * import { createStellarWallet, horizonSigners } from "wallet-session/wallets/stellar";
 *
 * export const wallet = createStellarWallet({
 *   signingSeed: process.env.STELLAR_SIGNING_SEED ?? "",
 *   networkPassphrase: "Public Global Stellar Network ; September 2015",
 *   homeDomain: "pay.example.com",
 *   webAuthEndpoint: "https://pay.example.com/api/auth/wallet",
 *   accountSigners: horizonSigners({ horizonUrl: "https://horizon.stellar.org" }),
 * });
 * ```
 */
export function createStellarWallet(options: StellarWalletOptions): StellarWallet {
  const { accountSigners, homeDomain, networkPassphrase } = options;
  const { clock = systemClock, random = systemRandom } = options;
  const webAuthDomain = options.webAuthDomain ?? new URL(options.webAuthEndpoint).hostname;
  const keypair = keypairFromSeed(options.signingSeed);
  const signingKey = keypair.account;
  const server: ChallengeServer = { signingKey, networkPassphrase, homeDomain, webAuthDomain };
  const challengeTtlMs = options.challengeTtlMs ?? CHALLENGE_TTL_MS;
  assertUsable(server, challengeTtlMs);
  const clientDomainKey = options.clientDomainKey ?? clientDomainKeyResolver();
  const toml = stellarToml(server, options.webAuthEndpoint);

  return {
    signingKey,
    takes: {
      challenge: ["account", "memo", "home_domain", "client_domain", "action"],
      answer: ["transaction"],
    },
    wellKnown: { "stellar.toml": toml },
    asksElsewhere: ({ client_domain }) => client_domain !== undefined,

    async challenge(request) {
      const subject = await readChallengeRequest(server, request, clientDomainKey);
      const minTime = Math.floor(clock.now() / SECOND_MS);
      const transaction = buildChallenge(server, {
        ...subject,
        nonce: Buffer.from(random(NONCE_BYTES)).toString("base64"),
        minTime,
        maxTime: minTime + challengeTtlMs / SECOND_MS,
      });
      const signature = sign(hashOf(transaction, networkPassphrase), keypair);
      return {
        transaction: encodeEnvelope(transaction, [signature]),
        network_passphrase: networkPassphrase,
      };
    },

    async verify({ transaction }) {
      if (transaction === undefined) throw new SessionError("invalid_request", "transaction is missing.");
      return verifyAnswer({ server, accountSigners, challengeTtlMs, now: clock.now() }, transaction);
    },
  };
}

function assertUsable(server: ChallengeServer, challengeTtlMs: number): void {
  const { homeDomain, networkPassphrase, webAuthDomain } = server;
  if (networkPassphrase === "") throw new TypeError("networkPassphrase is empty");
  if (homeDomain === "" || Buffer.byteLength(`${homeDomain} auth`) > DATA_ENTRY_MAX_BYTES) {
    throw new TypeError("homeDomain does not fit a data entry: 1 to 59 bytes");
  }
  if (webAuthDomain === "" || Buffer.byteLength(webAuthDomain) > DATA_ENTRY_MAX_BYTES) {
    throw new TypeError("webAuthDomain does not fit a data entry: 1 to 64 bytes");
  }
  if (!Number.isSafeInteger(challengeTtlMs / SECOND_MS) || challengeTtlMs <= 0) {
    throw new TypeError("challengeTtlMs is not a whole number of seconds");
  }
}

/**
 * The stellar.toml of SEP-1 that a SEP-10 client needs to find and check this server. `[DOCUMENTATION]` is there because
 * common clients fail without it.
 */
function stellarToml(
  { networkPassphrase, signingKey, homeDomain }: ChallengeServer,
  webAuthEndpoint: string,
): string {
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
