import type { EntryKind, LedgerEntry, Totals } from "./ledger.ts";

/** The sums that a stream carries along, as its entries give them. */
export function totalsOf(entries: readonly LedgerEntry[]): Totals {
  const sum = (kind: EntryKind) =>
    entries.reduce((total, entry) => (entry.kind === kind ? total + entry.amount : total), 0n);
  return {
    deposited: sum("deposit"),
    settled: sum("settlement"),
    withdrawn: sum("withdrawal"),
    refunded: sum("refund"),
  };
}
