import {
  Account,
  BASE_FEE,
  Memo,
  Operation,
  Transaction,
  TransactionBuilder,
  xdr,
} from "@stellar/stellar-sdk/base";
import { SessionError } from "../../errors.ts";
import { isMemoId, isMuxed } from "./account.ts";
import { isDomainName } from "./domain-name.ts";

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
  /** 48 random bytes in base64. */
  readonly nonce: string;
  readonly minTime: number;
  readonly maxTime: number;
}

/** A transaction that is, but for its signatures, byte for byte what `buildChallenge` makes of its fields. */
export interface ReadChallenge {
  readonly fields: ChallengeFields;
  /** What is signed, and what makes two envelopes the same challenge. */
  readonly hash: Uint8Array;
  readonly signatures: readonly { readonly hint: Uint8Array; readonly signature: Uint8Array }[];
}

/** Room for a challenge with 20 signatures, the most an envelope can hold. */
const TRANSACTION_MAX_CHARS = 4_096;
const NONCE = /^[A-Za-z0-9+/]{64}$/;

/** The challenge transaction of SEP-10, not signed yet. The same fields always make the same bytes. */
export function buildChallenge(server: ChallengeServer, fields: ChallengeFields): Transaction {
  // The builder adds one to the sequence number: SEP-10 asks for 0, so that the transaction is never valid on chain.
  const builder = new TransactionBuilder(new Account(server.signingKey, "-1"), {
    fee: BASE_FEE,
    networkPassphrase: server.networkPassphrase,
    timebounds: { minTime: fields.minTime, maxTime: fields.maxTime },
    memo: fields.memo === null ? Memo.none() : Memo.id(fields.memo),
  });
  builder.addOperation(
    Operation.manageData({ name: `${server.homeDomain} auth`, value: fields.nonce, source: fields.account }),
  );
  builder.addOperation(
    Operation.manageData({ name: "web_auth_domain", value: server.webAuthDomain, source: server.signingKey }),
  );
  if (fields.clientDomain !== null) {
    const { domain, key } = fields.clientDomain;
    builder.addOperation(Operation.manageData({ name: "client_domain", value: domain, source: key }));
  }
  return builder.build();
}

/**
 * Reads an envelope that claims to be a challenge of this server. A server verifies only what it built itself, so this
 * takes the fields out, builds the challenge again and compares the bytes: whatever SEP-10 does not name (fee,
 * preconditions, further operations, a muxed server account, an older envelope version) must be as it was built too.
 * The checks on the way there exist to say what is wrong.
 *
 * Does NOT check signatures, nor the time bounds against a clock.
 *
 * @throws challenge_invalid
 */
export function readChallenge(server: ChallengeServer, text: string): ReadChallenge {
  const transaction = decodeTransaction(text, server.networkPassphrase);
  if (transaction.sequence !== "0") refuse("its sequence number is not 0");
  if (transaction.source !== server.signingKey) refuse("its source is not this server's account");

  const [authOperation, webAuthOperation, clientOperation, ...others] = transaction.operations.map(dataEntry);
  if (authOperation === undefined) refuse("it has no operation");
  if (authOperation.name !== `${server.homeDomain} auth`) refuse("it is for another home domain");
  if (authOperation.source === undefined) refuse("its first operation has no source account");
  if (!NONCE.test(authOperation.value)) refuse("its nonce is not 48 bytes in base64");
  if (webAuthOperation?.name !== "web_auth_domain") refuse("web_auth_domain is missing");
  if (webAuthOperation.value !== server.webAuthDomain) refuse("it is for another web_auth_domain");
  if (others.length > 0) refuse("it has operations that were not in it");

  const fields: ChallengeFields = {
    account: authOperation.source,
    memo: readMemo(transaction, authOperation.source),
    clientDomain: clientOperation === undefined ? null : readClientDomain(clientOperation, server),
    nonce: authOperation.value,
    ...readTimeBounds(transaction),
  };
  const rebuilt = buildChallenge(server, fields);
  if (!Buffer.from(rebuilt.tx.toXdr()).equals(transaction.tx.toXdr())) refuse("it was altered");
  return {
    fields,
    hash: rebuilt.hash(),
    signatures: transaction.signatures.map(({ hint, signature }) => ({
      hint: hint.toBytes(),
      signature: signature.toBytes(),
    })),
  };
}

/** Canonical base64 of canonical XDR of one transaction, and nothing behind it. */
function decodeTransaction(text: string, networkPassphrase: string): Transaction {
  if (text.length > TRANSACTION_MAX_CHARS) refuse("it is too long");
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) refuse("it is not canonical base64");
  let envelope: xdr.TransactionEnvelope;
  let transaction: Transaction;
  try {
    envelope = xdr.TransactionEnvelope.fromXdr(bytes);
    transaction = new Transaction(envelope, networkPassphrase);
  } catch (cause) {
    refuse("it is not a transaction", cause);
  }
  if (!bytes.equals(envelope.toXdr())) refuse("it is not canonical XDR");
  return transaction;
}

interface DataEntry {
  readonly name: string;
  readonly value: string;
  readonly source: string | undefined;
}

function dataEntry(operation: Transaction["operations"][number]): DataEntry {
  if (operation.type !== "manageData") refuse("an operation is not manageData");
  if (operation.value === undefined) refuse("an operation has no value");
  return {
    name: operation.name,
    value: Buffer.from(operation.value).toString("utf8"),
    source: operation.source,
  };
}

function readMemo(transaction: Transaction, account: string): string | null {
  const { type, value } = transaction.memo;
  if (type === "none") return null;
  if (isMuxed(account)) refuse("it has a memo beside a muxed account");
  if (type !== "id" || typeof value !== "string" || !isMemoId(value)) refuse("its memo is not of type id");
  return value;
}

function readClientDomain(operation: DataEntry, server: ChallengeServer): ChallengeFields["clientDomain"] {
  const { name, value, source } = operation;
  if (name !== "client_domain") refuse("it has operations that were not in it");
  if (source === undefined || source === server.signingKey) refuse("client_domain has no key of its own");
  if (!isDomainName(value)) refuse("client_domain is not a domain");
  return { domain: value, key: source };
}

function readTimeBounds(transaction: Transaction): { minTime: number; maxTime: number } {
  if (transaction.timeBounds === undefined) refuse("it has no time bounds");
  const minTime = Number(transaction.timeBounds.minTime);
  const maxTime = Number(transaction.timeBounds.maxTime);
  if (maxTime === 0) refuse("it has no upper time bound");
  if (!Number.isSafeInteger(maxTime) || minTime > maxTime) refuse("its time bounds make no sense");
  return { minTime, maxTime };
}

function refuse(reason: string, cause?: unknown): never {
  throw new SessionError("challenge_invalid", `This is no challenge of this server: ${reason}.`, { cause });
}
