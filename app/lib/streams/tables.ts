import type { Int } from "../sql/columns.ts";
import type { Account, EntryKind } from "./ledger.ts";
import type { SettlementRefusal } from "./settlement.ts";
import type { StreamEventType, StreamStatus } from "./stream.ts";

/** A stream as it stands. Amounts in stroops, times in milliseconds since 1970. */
interface StreamsTable {
  id: string;
  sender: string;
  recipient: string;
  title: string | null;
  asset: "XLM";
  status: StreamStatus;
  deposited: Int;
  settled: Int;
  withdrawn: Int;
  refunded: Int;
  duration_seconds: Int;
  elapsed_ms: Int;
  running_since: Int | null;
  created_at: Int;
  started_at: Int | null;
  ended_at: Int | null;
  pending_settlement: string | null;
  version: Int;
  changed: Int;
}

/** A settlement: written before it is sent, recorded once it is known to have been. */
interface StreamSettlementsTable {
  id: string;
  stream_id: string;
  amount: Int;
  /** The instant until which it settles. */
  at: Int;
  requested_by: string;
  operation_id: string | null;
  recorded_at: Int | null;
  /** The sender's own name for it, a transaction's hash for example. */
  reference: string | null;
  /** Why the sender has refused it for good; it is never recorded then. */
  refused: SettlementRefusal | null;
}

interface StreamLedgerTable {
  position: Int;
  stream_id: string;
  at: Int;
  kind: EntryKind;
  from_account: Account;
  to_account: Account;
  amount: Int;
  settlement_id: string | null;
}

interface StreamHistoryTable {
  position: Int;
  stream_id: string;
  at: Int;
  type: StreamEventType;
  by_actor: string | null;
  amount: Int | null;
  operation_id: string | null;
}

export interface StreamTables {
  streams: StreamsTable;
  stream_settlements: StreamSettlementsTable;
  stream_ledger: StreamLedgerTable;
  stream_history: StreamHistoryTable;
}
