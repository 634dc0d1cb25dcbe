import { Account, Memo, MuxedAccount, Operation, TransactionBuilder } from "@stellar/stellar-sdk/base";
import {
  AUTH,
  CLIENT,
  type Crafted,
  craft,
  type DataOperation,
  dataOperation,
  WEB_AUTH,
} from "./crafted-challenge.fixture.ts";
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

const account = ALICE.publicKey();
const server = SERVER.publicKey();
const mallory = keyOf("mallory");
const muxedAlice = new MuxedAccount(new Account(account, "0"), "1").accountId();
const nonce = Buffer.alloc(48, 1).toString("base64");
/** Where the preconditions begin: behind envelope type, source, fee and sequence number. */
const PRECONDITIONS = 4 + 36 + 4 + 8;
const PRECONDITIONS_BYTES = 4 + 8 + 8;

type Case = [name: string, transaction: string];

/**
 * Everything that is not a challenge of the server at `nowMs`, by the reason that it is refused for. But for encodings and
 * signatures, each bears the server's own signature: it is the reading that has to refuse it.
 */
export function notChallenges(nowMs: number): [reason: string, cases: Case[]][] {
  const crafted = (name: string, changes: Crafted): Case => [name, craft(nowMs, changes)];
  return [...encodings(craft(nowMs)), ...frames(crafted, craft(nowMs)), ...operationLists(crafted)];
}

/** Behind zeros, which bring the length to where base64 has spare bits. */
function withSpareBit(bytes: Buffer): string {
  const zeros = Buffer.alloc(3 - ((bytes.length + 2) % 3));
  return `${Buffer.concat([bytes, zeros]).toString("base64url").slice(0, -1)}B`;
}

type Craft = (name: string, changes: Crafted) => Case;

function encodings(good: string): [string, Case[]][] {
  const bytes = Buffer.from(good, "base64");
  const recoded = (...parts: Uint8Array[]) => Buffer.concat(parts).toString("base64");
  const padding = bytes.indexOf("web_auth_domain") + "web_auth_domain".length;
  return [
    ["too long", [["a megabyte", Buffer.alloc(1_000_000).toString("base64")]]],
    [
      "not base64",
      [
        ["words", "not a transaction"],
        ["further padding", `${good}====`],
        ["padding within", `${good.slice(0, 76)}=${good.slice(76)}`],
        ["spare bits that are set", withSpareBit(bytes)],
        ["another sign", `${good.slice(0, 76)}*${good.slice(76)}`],
      ],
    ],
    [
      "not a transaction",
      [
        ["nothing", ""],
        ["noise", recoded(keyOf("noise").rawPublicKey())],
        ["hexadecimal", bytes.toString("hex")],
        ["an empty envelope", recoded(Buffer.alloc(64))],
        ["four trailing bytes", recoded(bytes, Buffer.alloc(4))],
        ["one trailing byte", recoded(bytes, Buffer.alloc(1))],
        ["four bytes less", recoded(bytes.subarray(0, -4))],
        [
          "padding that is not zero",
          recoded(bytes.subarray(0, padding), Buffer.of(1), bytes.subarray(padding + 1)),
        ],
        ["a fee bump", feeBumped(good)],
        // Version 0 has the same hash, and so the same signatures. It lacks the key type in front of the source.
        ["an envelope of version 0", recoded(Buffer.alloc(4), bytes.subarray(8))],
      ],
    ],
  ];
}

function feeBumped(envelope: string): string {
  const bumped = TransactionBuilder.buildFeeBumpTransaction(server, "1000", decode(envelope), NETWORK);
  bumped.sign(SERVER, ALICE);
  return bumped.toXdr();
}

function frames(crafted: Craft, good: string): [string, Case[]][] {
  return [
    [
      "sequence number",
      [
        crafted("a sequence number of 1", { source: new Account(server, "0") }),
        crafted("a sequence number of -1", { source: new Account(server, "-2") }),
      ],
    ],
    [
      "source is not this server",
      [
        crafted("another source", { source: new Account(mallory.publicKey(), "-1") }),
        crafted("the client as source", { source: new Account(account, "-1") }),
        crafted("the server muxed", { source: new MuxedAccount(new Account(server, "-1"), "1") }),
      ],
    ],
    ["no time bounds", [["no preconditions", withPreconditions(good, Buffer.alloc(4))]]],
    ["no upper time bound", [["no upper time bound", withTimes(good, (min) => [min, 0n])]]],
    [
      "make no sense",
      [
        ["time bounds the wrong way round", withTimes(good, (min, max) => [max, min])],
        ["an upper time bound of 2^64 - 1", withTimes(good, (min) => [min, 2n ** 64n - 1n])],
      ],
    ],
    [
      "longer than this server allows",
      [
        ["no lower time bound", withTimes(good, (_, max) => [0n, max])],
        crafted("time bounds of 30 days", { times: [0, 30 * 86_400] }),
        crafted("time bounds of a second too much", { times: [0, 301] }),
      ],
    ],
    ["from the future", [crafted("time bounds from the future", { times: [60, 120] })]],
    [
      "not a transaction that a challenge can be",
      [
        crafted("a text memo", { memo: Memo.text("7") }),
        crafted("a hash memo", { memo: Memo.hash("00".repeat(32)) }),
        crafted("a return memo", { memo: Memo.return("00".repeat(32)) }),
      ],
    ],
    [
      "memo beside a muxed account",
      [
        crafted("a memo with an M… account", {
          memo: Memo.id("1"),
          operations: [dataOperation(`${HOME_DOMAIN} auth`, nonce, muxedAlice), WEB_AUTH],
        }),
      ],
    ],
    ["altered", [crafted("another fee", { fee: "1000" })]],
    [
      "not a transaction that a challenge can be",
      [
        crafted("ledger bounds", { extend: (builder) => builder.setLedgerbounds(1, 2) }),
        crafted("a least sequence number", { extend: (builder) => builder.setMinAccountSequence("1") }),
        crafted("further signers", { extend: (builder) => builder.setExtraSigners([account]) }),
      ],
    ],
    [
      "not signed by this server",
      [
        crafted("another network", { network: "Public Global Stellar Network ; September 2015" }),
        crafted("no signature at all", { signers: [] }),
        crafted("the server's signature missing", { signers: [ALICE] }),
        crafted("another server's signature", { signers: [mallory, ALICE] }),
      ],
    ],
  ];
}

/** With other preconditions, signed anew. */
function withPreconditions(envelope: string, preconditions: Uint8Array): string {
  const bytes = Buffer.from(envelope, "base64");
  const changed = Buffer.concat([
    bytes.subarray(0, PRECONDITIONS),
    preconditions,
    bytes.subarray(PRECONDITIONS + PRECONDITIONS_BYTES),
  ]);
  const transaction = decode(changed.toString("base64"));
  transaction.signatures.length = 0;
  transaction.sign(SERVER, ALICE);
  return transaction.toXdr();
}

/** With time bounds that a builder would refuse. */
function withTimes(envelope: string, change: (min: bigint, max: bigint) => [bigint, bigint]): string {
  const bytes = Buffer.from(envelope, "base64").subarray(PRECONDITIONS, PRECONDITIONS + PRECONDITIONS_BYTES);
  const [min, max] = change(bytes.readBigUInt64BE(4), bytes.readBigUInt64BE(12));
  bytes.writeBigUInt64BE(min, 4);
  bytes.writeBigUInt64BE(max, 12);
  return withPreconditions(envelope, bytes);
}

function operationLists(crafted: Craft): [string, Case[]][] {
  const list = (name: string, ...operations: DataOperation[]) => crafted(name, { operations });
  const auth = (name: string, value: string | Uint8Array | null, source?: string) =>
    dataOperation(`${name} auth`, value, source);
  const bump = Operation.bumpSequence({ bumpTo: "1", source: server });
  return [
    ["no operation", [list("no operation")]],
    [
      "not a transaction that a challenge can be",
      [
        list("an operation that does something", AUTH, WEB_AUTH, bump),
        list("an operation that does something first", bump, WEB_AUTH),
      ],
    ],
    [
      "has no value",
      [
        list("no nonce", auth(HOME_DOMAIN, null, account), WEB_AUTH),
        list("web_auth_domain without a value", AUTH, dataOperation("web_auth_domain", null, server)),
        list("client_domain without a value", AUTH, WEB_AUTH, dataOperation("client_domain", null, account)),
      ],
    ],
    [
      "another home domain",
      [
        list("another home domain", auth("evil.example", nonce, account), WEB_AUTH),
        list("no home domain", auth("", nonce, account), WEB_AUTH),
        list("the home domain in upper case", auth(HOME_DOMAIN.toUpperCase(), nonce, account), WEB_AUTH),
        list("web_auth_domain first", WEB_AUTH, AUTH),
      ],
    ],
    ["no source account", [list("no client account", auth(HOME_DOMAIN, nonce), WEB_AUTH)]],
    [
      "nonce is not 48 bytes",
      [
        list("47 bytes", auth(HOME_DOMAIN, Buffer.alloc(47).toString("base64"), account), WEB_AUTH),
        list("48 raw bytes", auth(HOME_DOMAIN, Buffer.alloc(48), account), WEB_AUTH),
        list("64 raw bytes", auth(HOME_DOMAIN, Buffer.alloc(64, 0xff), account), WEB_AUTH),
        list("64 characters of the URL-safe alphabet", auth(HOME_DOMAIN, "_".repeat(64), account), WEB_AUTH),
      ],
    ],
    [
      "web_auth_domain is missing",
      [
        list("no web_auth_domain", AUTH),
        list("client_domain before web_auth_domain", AUTH, CLIENT, WEB_AUTH),
      ],
    ],
    [
      "another web_auth_domain",
      [list("another web_auth_domain", AUTH, dataOperation("web_auth_domain", "evil.example", server))],
    ],
    [
      "operations that were not in it",
      [
        list("web_auth_domain twice", AUTH, WEB_AUTH, WEB_AUTH),
        list("client_domain twice", AUTH, WEB_AUTH, CLIENT, CLIENT),
        list("an operation more", AUTH, WEB_AUTH, dataOperation("more", "1", server)),
        list("an operation of the client more", AUTH, WEB_AUTH, dataOperation("more", "1", account)),
      ],
    ],
    [
      "altered",
      [
        list(
          "web_auth_domain of the client",
          AUTH,
          dataOperation("web_auth_domain", WEB_AUTH_DOMAIN, account),
        ),
        list("web_auth_domain without a source", AUTH, dataOperation("web_auth_domain", WEB_AUTH_DOMAIN)),
      ],
    ],
    [
      "no key of its own",
      [
        list("client_domain without a source", AUTH, WEB_AUTH, dataOperation("client_domain", CLIENT_DOMAIN)),
        list(
          "client_domain of the server",
          AUTH,
          WEB_AUTH,
          dataOperation("client_domain", CLIENT_DOMAIN, server),
        ),
      ],
    ],
    [
      "not a domain",
      [
        list(
          "client_domain with a path",
          AUTH,
          WEB_AUTH,
          dataOperation("client_domain", "a.example/b", CLIENT_APP.publicKey()),
        ),
      ],
    ],
  ];
}
