import {
  Account,
  type Keypair,
  Memo,
  MuxedAccount,
  Operation,
  TransactionBuilder,
} from "@stellar/stellar-sdk/base";
import {
  ALICE,
  CLIENT_APP,
  CLIENT_DOMAIN,
  decode,
  HOME_DOMAIN,
  keyOf,
  NETWORK,
  SERVER,
  WEB_AUTH_DOMAIN,
} from "./wallet.fixture.ts";

const NONCE = Buffer.alloc(48, 1).toString("base64");
const account = ALICE.publicKey();
const server = SERVER.publicKey();
const mallory = keyOf("mallory");

export const muxedAlice = new MuxedAccount(new Account(account, "0"), "1").accountId();
const muxedServer = new MuxedAccount(new Account(server, "-1"), "1");

const data = (name: string, value: string | Uint8Array | null, source?: string) =>
  Operation.manageData({ name, value, ...(source === undefined ? {} : { source }) });
const auth = data(`${HOME_DOMAIN} auth`, NONCE, account);
const webAuth = data("web_auth_domain", WEB_AUTH_DOMAIN, server);
const clientDomain = data("client_domain", CLIENT_DOMAIN, CLIENT_APP.publicKey());
const payment = Operation.bumpSequence({ bumpTo: "1", source: server });

interface Crafted {
  source?: Account | MuxedAccount;
  operations?: ReturnType<typeof data>[];
  memo?: Memo;
  /** Seconds from now. */
  times?: [number, number];
  fee?: string;
  network?: string;
  signers?: Keypair[];
  extend?: (builder: TransactionBuilder) => void;
}

/** A challenge like the server's, but for what is given; signed by the server and Alice even so. */
export function craft(nowMs: number, crafted: Crafted = {}): string {
  const { times = [0, 300], signers = [SERVER, ALICE] } = crafted;
  const now = Math.floor(nowMs / 1_000);
  const builder = new TransactionBuilder(crafted.source ?? new Account(server, "-1"), {
    fee: crafted.fee ?? "100",
    networkPassphrase: crafted.network ?? NETWORK,
    memo: crafted.memo ?? Memo.none(),
    timebounds: { minTime: now + times[0], maxTime: now + times[1] },
  });
  for (const operation of crafted.operations ?? [auth, webAuth]) builder.addOperation(operation);
  crafted.extend?.(builder);
  const transaction = builder.build();
  transaction.sign(...signers);
  return transaction.toXdr();
}

function recoded(envelope: string, change: (bytes: Buffer) => Buffer): string {
  return change(Buffer.from(envelope, "base64")).toString("base64");
}

/** The envelope in its version from before protocol 13: same hash, same signatures, other bytes. */
function asV0(envelope: string): string {
  const bytes = Buffer.from(envelope, "base64");
  // The envelope type goes from 2 to 0 and the key type in front of the source, four zero bytes, goes away. Time bounds
  // as an optional are written as they are as a precondition.
  return Buffer.concat([Buffer.alloc(4), bytes.subarray(8)]).toString("base64");
}

/** Signed anew over a transaction whose preconditions, behind source, fee and sequence number, are of the type "none". */
function withoutPreconditions(envelope: string): string {
  const bytes = Buffer.from(envelope, "base64");
  const behind = 4 + 36 + 4 + 8;
  const without = Buffer.concat([
    bytes.subarray(0, behind),
    Buffer.alloc(4),
    bytes.subarray(behind + 4 + 16),
  ]);
  const transaction = decode(without.toString("base64"));
  transaction.signatures.length = 0;
  transaction.sign(SERVER, ALICE);
  return transaction.toXdr();
}

function feeBumped(envelope: string): string {
  const inner = decode(envelope);
  const bumped = TransactionBuilder.buildFeeBumpTransaction(SERVER.publicKey(), "1000", inner, NETWORK);
  bumped.sign(SERVER, ALICE);
  return bumped.toXdr();
}

/** Everything that is not a challenge of the server at `nowMs`, though most of it bears its signature. */
export function notChallenges(nowMs: number): [name: string, transaction: string][] {
  const good = craft(nowMs);
  const operations = (...list: ReturnType<typeof data>[]) => craft(nowMs, { operations: list });
  return [
    ["nothing", ""],
    ["words", "not a transaction"],
    ["an empty envelope", Buffer.alloc(64).toString("base64")],
    ["noise", Buffer.from(keyOf("noise").rawPublicKey()).toString("base64")],
    ["the URL-safe alphabet", Buffer.from(good, "base64").toString("base64url")],
    ["hexadecimal", Buffer.from(good, "base64").toString("hex")],
    ["a space in front", ` ${good}`],
    ["a line break behind", `${good}\n`],
    ["a line break within", `${good.slice(0, 76)}\n${good.slice(76)}`],
    ["further padding", `${good}====`],
    ["trailing XDR bytes", recoded(good, (bytes) => Buffer.concat([bytes, Buffer.alloc(4)]))],
    ["one trailing byte", recoded(good, (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]))],
    ["a truncated envelope", recoded(good, (bytes) => bytes.subarray(0, -4))],
    ["a megabyte", Buffer.alloc(1_000_000).toString("base64")],
    ["an envelope of version 0", asV0(good)],
    ["a fee bump", feeBumped(good)],
    ["a sequence number of 1", craft(nowMs, { source: new Account(server, "0") })],
    ["a sequence number of -1", craft(nowMs, { source: new Account(server, "-2") })],
    ["another source", craft(nowMs, { source: new Account(mallory.publicKey(), "-1") })],
    ["the client as source", craft(nowMs, { source: new Account(account, "-1") })],
    ["the server muxed as source", craft(nowMs, { source: muxedServer })],
    ["another fee", craft(nowMs, { fee: "1000" })],
    ["another network", craft(nowMs, { network: "Public Global Stellar Network ; September 2015" })],
    ["no lower time bound", craft(nowMs, { times: [-Math.floor(nowMs / 1_000), 300] })],
    ["no upper time bound", craft(nowMs, { times: [0, -Math.floor(nowMs / 1_000)] })],
    ["no time bounds", withoutPreconditions(good)],
    ["time bounds of 30 days", craft(nowMs, { times: [0, 30 * 86_400] })],
    ["time bounds of a second too much", craft(nowMs, { times: [0, 301] })],
    ["time bounds from the future", craft(nowMs, { times: [60, 120] })],
    ["a text memo", craft(nowMs, { memo: Memo.text("7") })],
    ["a hash memo", craft(nowMs, { memo: Memo.hash("00".repeat(32)) })],
    ["a return memo", craft(nowMs, { memo: Memo.return("00".repeat(32)) })],
    [
      "a memo beside a muxed account",
      craft(nowMs, {
        memo: Memo.id("1"),
        operations: [data(`${HOME_DOMAIN} auth`, NONCE, muxedAlice), webAuth],
      }),
    ],
    ["no operation", operations()],
    ["no web_auth_domain", operations(auth)],
    ["web_auth_domain twice", operations(auth, webAuth, webAuth)],
    ["another web_auth_domain", operations(auth, data("web_auth_domain", "evil.example", server))],
    ["web_auth_domain without a value", operations(auth, data("web_auth_domain", null, server))],
    ["web_auth_domain of the client", operations(auth, data("web_auth_domain", WEB_AUTH_DOMAIN, account))],
    ["web_auth_domain without a source", operations(auth, data("web_auth_domain", WEB_AUTH_DOMAIN))],
    ["web_auth_domain first", operations(webAuth, auth)],
    ["another home domain", operations(data("evil.example auth", NONCE, account), webAuth)],
    ["no home domain", operations(data(" auth", NONCE, account), webAuth)],
    [
      "a home domain in upper case",
      operations(data(`${HOME_DOMAIN.toUpperCase()} auth`, NONCE, account), webAuth),
    ],
    ["no source for the first operation", operations(data(`${HOME_DOMAIN} auth`, NONCE), webAuth)],
    ["no nonce", operations(data(`${HOME_DOMAIN} auth`, null, account), webAuth)],
    [
      "a nonce of 47 bytes",
      operations(data(`${HOME_DOMAIN} auth`, Buffer.alloc(47).toString("base64"), account), webAuth),
    ],
    ["a raw nonce", operations(data(`${HOME_DOMAIN} auth`, Buffer.alloc(48), account), webAuth)],
    [
      "a nonce of 64 raw bytes",
      operations(data(`${HOME_DOMAIN} auth`, Buffer.alloc(64, 0xff), account), webAuth),
    ],
    [
      "a nonce in the URL-safe alphabet",
      operations(data(`${HOME_DOMAIN} auth`, "_".repeat(64), account), webAuth),
    ],
    ["an operation more", operations(auth, webAuth, data("more", "1", server))],
    ["an operation of the client more", operations(auth, webAuth, data("more", "1", account))],
    ["an operation that does something", operations(auth, webAuth, payment)],
    ["an operation that does something first", operations(payment, webAuth)],
    ["client_domain twice", operations(auth, webAuth, clientDomain, clientDomain)],
    ["client_domain before web_auth_domain", operations(auth, clientDomain, webAuth)],
    ["client_domain without a source", operations(auth, webAuth, data("client_domain", CLIENT_DOMAIN))],
    [
      "client_domain without a value",
      operations(auth, webAuth, data("client_domain", null, CLIENT_APP.publicKey())),
    ],
    [
      "client_domain that is no domain",
      operations(auth, webAuth, data("client_domain", "a/b", CLIENT_APP.publicKey())),
    ],
    ["client_domain of the server", operations(auth, webAuth, data("client_domain", CLIENT_DOMAIN, server))],
    ["ledger bounds", craft(nowMs, { extend: (builder) => builder.setLedgerbounds(1, 2) })],
    ["a least sequence number", craft(nowMs, { extend: (builder) => builder.setMinAccountSequence("1") })],
    ["further signers asked for", craft(nowMs, { extend: (builder) => builder.setExtraSigners([account]) })],
    ["no signature at all", craft(nowMs, { signers: [] })],
    ["the server's signature missing", craft(nowMs, { signers: [ALICE] })],
    ["another server's signature", craft(nowMs, { signers: [mallory, ALICE] })],
  ];
}
