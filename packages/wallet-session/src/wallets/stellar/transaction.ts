// The part of Stellar's XDR that a challenge of SEP-10 is made of. Everything else does not decode: a fee bump, an envelope of
// version 0, preconditions beyond time bounds, a memo that is not an id, an operation that is not manageData.
import { createHash, sign as signMessage } from "node:crypto";
import * as xdr from "@stellar/js-xdr";
import type { Keypair } from "./ed25519.ts";
import { decodeStrkey, encodeStrkey } from "./strkey.ts";

const ENVELOPE_TYPE_TX = 2;
/** The longest name and value of a data entry. */
export const DATA_ENTRY_MAX_BYTES = 64;
const OPERATIONS_MAX = 100;
const SIGNATURES_MAX = 20;
const KEY_BYTES = 32;
const HINT_BYTES = 4;

const KeyType = xdr.enumType("CryptoKeyType", { ed25519: 0, muxedEd25519: 0x100 });
const MuxedAccount = xdr.union("MuxedAccount", {
  switchOn: KeyType,
  cases: [
    xdr.unionCase("ed25519", KeyType.ed25519, xdr.field("ed25519", xdr.opaque(KEY_BYTES))),
    xdr.unionCase(
      "muxedEd25519",
      KeyType.muxedEd25519,
      xdr.field("muxed", xdr.struct("MuxedEd25519", { id: xdr.uint64(), ed25519: xdr.opaque(KEY_BYTES) })),
    ),
  ],
});

const PreconditionType = xdr.enumType("PreconditionType", { none: 0, time: 1 });
const Preconditions = xdr.union("Preconditions", {
  switchOn: PreconditionType,
  cases: [
    xdr.unionCase("none", PreconditionType.none, xdr.voidType()),
    xdr.unionCase(
      "time",
      PreconditionType.time,
      xdr.field("timeBounds", xdr.struct("TimeBounds", { minTime: xdr.uint64(), maxTime: xdr.uint64() })),
    ),
  ],
});

const MemoType = xdr.enumType("MemoType", { none: 0, id: 2 });
const Memo = xdr.union("Memo", {
  switchOn: MemoType,
  cases: [
    xdr.unionCase("none", MemoType.none, xdr.voidType()),
    xdr.unionCase("id", MemoType.id, xdr.field("id", xdr.uint64())),
  ],
});

const OperationType = xdr.enumType("OperationType", { manageData: 10 });
const ManageData = xdr.struct("ManageDataOp", {
  name: xdr.string(DATA_ENTRY_MAX_BYTES),
  value: xdr.option(xdr.varOpaque(DATA_ENTRY_MAX_BYTES)),
});
const Operation = xdr.struct("Operation", {
  source: xdr.option(MuxedAccount),
  body: xdr.union("OperationBody", {
    switchOn: OperationType,
    cases: [xdr.unionCase("manageData", OperationType.manageData, xdr.field("manageData", ManageData))],
  }),
});

const TransactionXdr = xdr.struct("Transaction", {
  source: MuxedAccount,
  fee: xdr.uint32(),
  sequence: xdr.int64(),
  preconditions: Preconditions,
  memo: Memo,
  operations: xdr.array(Operation, OPERATIONS_MAX),
  extension: xdr.union("Extension", {
    switchOn: xdr.int32(),
    cases: [xdr.unionCase("none", 0, xdr.voidType())],
  }),
});
const EnvelopeType = xdr.enumType("EnvelopeType", { transaction: ENVELOPE_TYPE_TX });
const EnvelopeXdr = xdr.struct("TransactionV1Envelope", {
  type: EnvelopeType,
  transaction: TransactionXdr,
  signatures: xdr.array(
    xdr.struct("DecoratedSignature", {
      hint: xdr.opaque(HINT_BYTES),
      signature: xdr.varOpaque(DATA_ENTRY_MAX_BYTES),
    }),
    SIGNATURES_MAX,
  ),
});

export type Transaction = xdr.Infer<typeof TransactionXdr>;
export type Envelope = xdr.Infer<typeof EnvelopeXdr>;
export type DecoratedSignature = Envelope["signatures"][number];

/** One `manageData` operation. `source` is a `G…` or `M…` address; null is the transaction's own. */
export interface DataEntry {
  readonly name: string;
  readonly value: Uint8Array | null;
  readonly source: string | null;
}

export function encodeTransaction(transaction: Transaction): Uint8Array {
  return TransactionXdr.encode(transaction);
}

/** The envelope in canonical base64. */
export function encodeEnvelope(transaction: Transaction, signatures: readonly DecoratedSignature[]): string {
  const envelope = { type: EnvelopeType.transaction, transaction, signatures: [...signatures] };
  return Buffer.from(EnvelopeXdr.encode(envelope)).toString("base64");
}

/** Reads canonical XDR and nothing behind it. @throws XdrError for everything else, see above */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  return EnvelopeXdr.decode(bytes);
}

/** What is signed: SHA-256 of the network's id, the type of the envelope and the transaction. */
export function hashOf(transaction: Transaction, networkPassphrase: string): Uint8Array {
  const type = Buffer.alloc(4);
  type.writeInt32BE(ENVELOPE_TYPE_TX);
  const networkId = createHash("sha256").update(networkPassphrase).digest();
  return createHash("sha256").update(networkId).update(type).update(encodeTransaction(transaction)).digest();
}

export function sign(hash: Uint8Array, { account, privateKey }: Keypair): DecoratedSignature {
  return { hint: hintOf(payloadOf("G", account)), signature: signMessage(null, hash, privateKey) };
}

/** The last four bytes of a public key: they spare most verifications and prove nothing. */
export function hintOf(publicKey: Uint8Array): Uint8Array {
  return publicKey.subarray(-HINT_BYTES);
}

export function memoOf(id: string | null): Transaction["memo"] {
  return id === null ? { type: MemoType.none } : { type: MemoType.id, id: BigInt(id) };
}

export function timeBounds(minTime: number, maxTime: number): Transaction["preconditions"] {
  return {
    type: PreconditionType.time,
    timeBounds: { minTime: BigInt(minTime), maxTime: BigInt(maxTime) },
  };
}

export function dataOperation({ name, value, source }: DataEntry): Transaction["operations"][number] {
  return {
    source: source === null ? null : accountOf(source),
    body: {
      type: OperationType.manageData,
      manageData: { name: Buffer.from(name), value },
    },
  };
}

export function dataEntryOf({ source, body }: Transaction["operations"][number]): DataEntry {
  const { name, value } = body.manageData;
  return {
    name: Buffer.from(name).toString("utf8"),
    value,
    source: source === null ? null : addressOf(source),
  };
}

/** The XDR of a `G…` or `M…` address. */
export function accountOf(address: string): Transaction["source"] {
  if (!address.startsWith("M")) return { type: KeyType.ed25519, ed25519: payloadOf("G", address) };
  const payload = Buffer.from(payloadOf("M", address));
  const muxed = { id: payload.readBigUInt64BE(KEY_BYTES), ed25519: payload.subarray(0, KEY_BYTES) };
  return { type: KeyType.muxedEd25519, muxed };
}

export function addressOf(account: Transaction["source"]): string {
  if (account.type === KeyType.ed25519) return encodeStrkey("G", account.ed25519);
  const id = Buffer.alloc(8);
  id.writeBigUInt64BE(account.muxed.id);
  return encodeStrkey("M", Buffer.concat([account.muxed.ed25519, id]));
}

/** @throws TypeError for a text of another kind */
function payloadOf(kind: "G" | "M", text: string): Uint8Array {
  const payload = decodeStrkey(kind, text);
  if (payload === null) throw new TypeError(`This is not a ${kind}… address.`);
  return payload;
}
