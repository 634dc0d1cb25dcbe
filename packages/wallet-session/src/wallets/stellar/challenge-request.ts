import { SessionError } from "../../errors.ts";
import { accountIdOf, isMemoId, isMuxed, isSigningKey } from "./account.ts";
import type { ChallengeFields, ChallengeServer } from "./challenge.ts";
import { isDomainName } from "./domain-name.ts";
import { isAddress } from "./strkey.ts";

/** The parameters of SEP-10's `GET`, as they came in the query. */
export interface StellarChallengeRequest {
  /** G… or M…. */
  readonly account?: string | undefined;
  /** A memo of type id; never beside an M… account. */
  readonly memo?: string | undefined;
  readonly home_domain?: string | undefined;
  readonly client_domain?: string | undefined;
}

/** Who the challenge is for. @throws invalid_request */
export async function readChallengeRequest(
  server: ChallengeServer,
  request: StellarChallengeRequest,
  clientDomainKey: (domain: string) => Promise<string>,
): Promise<Pick<ChallengeFields, "account" | "memo" | "clientDomain">> {
  const account = readAccount(request.account, server);
  const memo = readMemo(request.memo, account);
  if (request.home_domain !== undefined && request.home_domain !== server.homeDomain) {
    throw invalid("home_domain is not served here.");
  }
  // Last, since it may ask another server: whatever is wrong without it is refused first.
  const clientDomain = await readClientDomain(request.client_domain, server, clientDomainKey);
  return { account, memo, clientDomain };
}

function readAccount(account: string | undefined, server: ChallengeServer): string {
  if (account === undefined) throw invalid("account is missing.");
  if (!isAddress(account)) throw invalid("account is neither a G… nor an M… address.");
  const accountId = accountIdOf(account);
  if (!isSigningKey(accountId)) throw invalid("account belongs to a key that anyone can sign for.");
  if (accountId === server.signingKey) throw invalid("account is this server's own.");
  return account;
}

function readMemo(memo: string | undefined, account: string): string | null {
  if (memo === undefined) return null;
  if (isMuxed(account)) throw invalid("An M… account takes no memo.");
  if (!isMemoId(memo)) throw invalid("memo is not a memo of type id: a decimal from 0 to 2^64 - 1.");
  return memo;
}

async function readClientDomain(
  domain: string | undefined,
  server: ChallengeServer,
  clientDomainKey: (domain: string) => Promise<string>,
): Promise<ChallengeFields["clientDomain"]> {
  if (domain === undefined) return null;
  if (!isDomainName(domain)) throw invalid("client_domain is not a domain name.");
  const key = await clientDomainKey(domain).catch((cause: unknown) => {
    throw invalid("The SIGNING_KEY of client_domain could not be found.", cause);
  });
  if (!isSigningKey(key) || key === server.signingKey) {
    throw invalid("The SIGNING_KEY of client_domain cannot be used.");
  }
  return { domain, key };
}

function invalid(message: string, cause?: unknown): SessionError {
  return new SessionError("invalid_request", message, { cause });
}
