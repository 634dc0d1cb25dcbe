// The part of Stellar's XDR that a challenge of SEP-10 is made of. Everything else does not decode: a fee bump, an envelope of
// version 0, preconditions beyond time bounds, a memo that is not an id, an operation that is not manageData.
import { createHash, sign as signMessage } from "node:crypto";
import {
  array,
  enumType,
  field,
  type Infer,
  int32,
  int64,
  opaque,
  option,
  string,
  struct,
  uint32,
  uint64,
  union,
  unionCase,
  varOpaque,
  voidType,
} from "@stellar/js-xdr";
import type { Keypair } from "./ed25519.ts";
import { decodeStrkey, encodeStrkey } from "./strkey.ts";

const ENVELOPE_TYPE_TX = 2;
/** The longest name and value of a data entry. */
export const DATA_ENTRY_MAX_BYTES = 64;
const OPERATIONS_MAX = 100;
const SIGNATURES_MAX = 20;
const KEY_BYTES = 32;
const HINT_BYTES = 4;

const KeyType = enumType("CryptoKeyType", { ed25519: 0, muxedEd25519: 0x100 });
const MuxedAccount = union("MuxedAccount", {
  switchOn: KeyType,
  cases: [
    unionCase("ed25519", KeyType.ed25519, field("ed25519", opaque(KEY_BYTES))),
    unionCase(
      "muxedEd25519",
      KeyType.muxedEd25519,
      field("muxed", struct("MuxedEd25519", { id: uint64(), ed25519: opaque(KEY_BYTES) })),
    ),
  ],
});

const PreconditionType = enumType("PreconditionType", { none: 0, time: 1 });
const Preconditions = union("Preconditions", {
  switchOn: PreconditionType,
  cases: [
    unionCase("none", PreconditionType.none, voidType()),
    unionCase(
      "time",
      PreconditionType.time,
      field("timeBounds", struct("TimeBounds", { minTime: uint64(), maxTime: uint64() })),
    ),
  ],
});

const MemoType = enumType("MemoType", { none: 0, id: 2 });
const Memo = union("Memo", {
  switchOn: MemoType,
  cases: [unionCase("none", MemoType.none, voidType()), unionCase("id", MemoType.id, field("id", uint64()))],
});

const OperationType = enumType("OperationType", { manageData: 10 });
const ManageData = struct("ManageDataOp", {
  name: string(DATA_ENTRY_MAX_BYTES),
  value: option(varOpaque(DATA_ENTRY_MAX_BYTES)),
});
const Operation = struct("Operation", {
  source: option(MuxedAccount),
  body: union("OperationBody", {
    switchOn: OperationType,
    cases: [unionCase("manageData", OperationType.manageData, field("manageData", ManageData))],
  }),
});

const TransactionXdr = struct("Transaction", {
  source: MuxedAccount,
  fee: uint32(),
  sequence: int64(),
  preconditions: Preconditions,
  memo: Memo,
  operations: array(Operation, OPERATIONS_MAX),
  extension: union("Extension", { switchOn: int32(), cases: [unionCase("none", 0, voidType())] }),
});
const EnvelopeType = enumType("EnvelopeType", { transaction: ENVELOPE_TYPE_TX });
const EnvelopeXdr = struct("TransactionV1Envelope", {
  type: EnvelopeType,
  transaction: TransactionXdr,
  signatures: array(
    struct("DecoratedSignature", { hint: opaque(HINT_BYTES), signature: varOpaque(DATA_ENTRY_MAX_BYTES) }),
    SIGNATURES_MAX,
  ),
});

export type Transaction = Infer<typeof TransactionXdr>;
export type Envelope = Infer<typeof EnvelopeXdr>;
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
