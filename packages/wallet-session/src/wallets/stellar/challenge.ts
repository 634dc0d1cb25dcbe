import { SessionError } from "../../errors.ts";
import { accountIdOf, isDomainName, isMemoId, isMuxed, isSigningKey } from "./account.ts";
import { isAddress } from "./strkey.ts";
import * as xdr from "./transaction.ts";

/** What is the same in every challenge of one server. */
export interface ChallengeServer {
  /** The server's signing key, G…. */
  readonly signingKey: string;
  readonly networkPassphrase: string;
  readonly homeDomain: string;
  readonly webAuthDomain: string;
}

/** What differs from challenge to challenge. Times are whole seconds since 1970. */
export interface ChallengeFields {
  /** G… or M…. */
  readonly account: string;
  readonly memo: string | null;
  readonly clientDomain: { readonly domain: string; readonly key: string } | null;
  /** The hash of an action that is to be signed for; null: a sign-in. */
  readonly action: string | null;
  /** 48 random bytes in base64. */
  readonly nonce: string;
  readonly minTime: number;
  readonly maxTime: number;
}

/** Room for a challenge with 20 signatures, the most an envelope can hold. */
const TRANSACTION_MAX_CHARS = 4_096;
/** In stroops, for each operation: what Stellar's own builder writes. Nobody ever pays it. */
const FEE = 100;
const NONCE = /^[A-Za-z0-9+/]{64}$/;
/** SHA-256 in base64url. */
const ACTION = /^[A-Za-z0-9_-]{43}$/;

/** The challenge transaction of SEP-10, not signed yet. The same fields always make the same bytes. */
export function buildChallenge(server: ChallengeServer, fields: ChallengeFields): xdr.Transaction {
  const entries: [name: string, value: string, source: string][] = [
    [`${server.homeDomain} auth`, fields.nonce, fields.account],
    ["web_auth_domain", server.webAuthDomain, server.signingKey],
  ];
  if (fields.action !== null) entries.push(["action", fields.action, server.signingKey]);
  if (fields.clientDomain !== null) {
    entries.push(["client_domain", fields.clientDomain.domain, fields.clientDomain.key]);
  }
  return {
    source: xdr.accountOf(server.signingKey),
    fee: FEE * entries.length,
    // SEP-10 asks for 0, so that the transaction is never valid on chain.
    sequence: 0n,
    preconditions: xdr.timeBounds(fields.minTime, fields.maxTime),
    memo: xdr.memoOf(fields.memo),
    operations: entries.map(([name, value, source]) =>
      xdr.dataOperation({ name, value: Buffer.from(value), source }),
    ),
    extension: { type: 0 },
  };
}

/**
 * Reads an envelope that claims to be a challenge of this server. A server verifies only what it built itself, so this
 * takes the fields out, builds the challenge again and compares the bytes: everything that SEP-10 does not name (the fee,
 * further operations, a muxed server account) must be as it was built too. The checks on the way say what is wrong.
 *
 * Does NOT check signatures, nor the time bounds against a clock.
 *
 * @throws challenge_invalid
 */
export function readChallenge(server: ChallengeServer, text: string) {
  const { transaction, signatures } = decode(text);
  if (transaction.sequence !== 0n) refuse("its sequence number is not 0");
  if (xdr.addressOf(transaction.source) !== server.signingKey)
    refuse("its source is not this server's account");

  const [auth, webAuth, ...more] = transaction.operations.map(readEntry);
  const action = more[0]?.name === "action" ? more.shift() : undefined;
  const [client, ...others] = more;
  if (auth === undefined) refuse("it has no operation");
  if (auth.name !== `${server.homeDomain} auth`) refuse("it is for another home domain");
  if (auth.source === null) refuse("its first operation has no source account");
  if (!NONCE.test(auth.value)) refuse("its nonce is not 48 bytes in base64");
  if (webAuth?.name !== "web_auth_domain") refuse("web_auth_domain is missing");
  if (webAuth.value !== server.webAuthDomain) refuse("it is for another web_auth_domain");
  if (others.length > 0) refuse("it has operations that were not in it");

  const fields: ChallengeFields = {
    account: auth.source,
    memo: readMemo(transaction, auth.source),
    clientDomain: client === undefined ? null : readClientDomain(client, server),
    action: action?.value ?? null,
    nonce: auth.value,
    ...readTimeBounds(transaction),
  };
  const rebuilt = buildChallenge(server, fields);
  if (!Buffer.from(xdr.encodeTransaction(rebuilt)).equals(xdr.encodeTransaction(transaction)))
    refuse("it was altered");
  // The hash is what is signed, and what makes two envelopes the same challenge.
  return { fields, hash: xdr.hashOf(rebuilt, server.networkPassphrase), signatures };
}

/**
 * Canonical XDR of one transaction, and nothing behind it, in base64 as programs write it: of either alphabet, in lines, with
 * padding or without. What a challenge is known by is the hash, not this text.
 */
function decode(text: string): xdr.Envelope {
  const compact = text.replace(/\s/g, "");
  if (compact.length > TRANSACTION_MAX_CHARS) refuse("it is too long");
  const bytes = Buffer.from(compact, "base64");
  const unpadded = compact
    .replace(/={1,2}$/, "")
    .replaceAll("+", "-")
    .replaceAll("/", "_");
  if (bytes.toString("base64url") !== unpadded) refuse("it is not base64");
  try {
    return xdr.decodeEnvelope(bytes);
  } catch (cause) {
    refuse("it is not a transaction that a challenge can be", cause);
  }
}

type ReadEntry = Omit<xdr.DataEntry, "value"> & { readonly value: string };

function readEntry(operation: xdr.Transaction["operations"][number]): ReadEntry {
  const { name, value, source } = xdr.dataEntryOf(operation);
  if (value === null) refuse("an operation has no value");
  return { name, value: Buffer.from(value).toString("utf8"), source };
}

function readMemo({ memo }: xdr.Transaction, account: string): string | null {
  if (!("id" in memo)) return null;
  if (isMuxed(account)) refuse("it has a memo beside a muxed account");
  return String(memo.id);
}

function readClientDomain(operation: ReadEntry, server: ChallengeServer): ChallengeFields["clientDomain"] {
  const { name, value, source } = operation;
  if (name !== "client_domain") refuse("it has operations that were not in it");
  if (source === null || source === server.signingKey) refuse("client_domain has no key of its own");
  if (!isDomainName(value)) refuse("client_domain is not a domain");
  return { domain: value, key: source };
}

function readTimeBounds({ preconditions }: xdr.Transaction): { minTime: number; maxTime: number } {
  if (!("timeBounds" in preconditions)) refuse("it has no time bounds");
  const minTime = Number(preconditions.timeBounds.minTime);
  const maxTime = Number(preconditions.timeBounds.maxTime);
  if (maxTime === 0) refuse("it has no upper time bound");
  if (!Number.isSafeInteger(maxTime) || minTime > maxTime) refuse("its time bounds make no sense");
  return { minTime, maxTime };
}

function refuse(reason: string, cause?: unknown): never {
  throw new SessionError("challenge_invalid", `This is no challenge of this server: ${reason}.`, { cause });
}

/** The parameters of SEP-10's `GET`, as they came in the query. */
export interface StellarChallengeRequest {
  /** G… or M…. */
  readonly account?: string | undefined;
  /** A memo of type id; never beside an M… account. */
  readonly memo?: string | undefined;
  readonly home_domain?: string | undefined;
  readonly client_domain?: string | undefined;
  /** The hash of the action that is to be signed for, instead of a sign-in. */
  readonly action?: string | undefined;
}

/** Who the challenge is for. @throws invalid_request */
export async function readChallengeRequest(
  server: ChallengeServer,
  request: StellarChallengeRequest,
  clientDomainKey: (domain: string) => Promise<string>,
): Promise<Pick<ChallengeFields, "account" | "memo" | "clientDomain" | "action">> {
  const account = requestedAccount(request.account, server);
  const memo = requestedMemo(request.memo, account);
  if (request.home_domain !== undefined && request.home_domain !== server.homeDomain) {
    throw invalid("home_domain is not served here.");
  }
  const { action = null } = request;
  if (action !== null && !ACTION.test(action)) throw invalid("action is not a SHA-256 hash in base64url.");
  // Last, since it may ask another server: whatever is wrong without it is refused first.
  const clientDomain = await requestedClientDomain(request.client_domain, server, clientDomainKey);
  return { account, memo, clientDomain, action };
}

function requestedAccount(account: string | undefined, server: ChallengeServer): string {
  if (account === undefined) throw invalid("account is missing.");
  if (!isAddress(account)) throw invalid("account is neither a G… nor an M… address.");
  const accountId = accountIdOf(account);
  if (!isSigningKey(accountId)) throw invalid("account belongs to a key that anyone can sign for.");
  if (accountId === server.signingKey) throw invalid("account is this server's own.");
  return account;
}

function requestedMemo(memo: string | undefined, account: string): string | null {
  if (memo === undefined) return null;
  if (isMuxed(account)) throw invalid("An M… account takes no memo.");
  if (!isMemoId(memo)) throw invalid("memo is not a memo of type id: a decimal from 0 to 2^64 - 1.");
  return memo;
}

async function requestedClientDomain(
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
