import type { Stroops } from "./money.ts";

/** Where a stream's money can be. `claim` is what the recipient has been promised for good and has not taken yet. */
export type Account = "sender" | "escrow" | "claim" | "recipient";

export type EntryKind = "deposit" | "settlement" | "withdrawal" | "refund";

/** Double entry: every amount leaves one account and arrives on another. Entries are only ever added. */
export const MOVES: Readonly<Record<EntryKind, { readonly from: Account; readonly to: Account }>> = {
  deposit: { from: "sender", to: "escrow" },
  settlement: { from: "escrow", to: "claim" },
  withdrawal: { from: "claim", to: "recipient" },
  refund: { from: "escrow", to: "sender" },
};

export interface LedgerEntry {
  readonly kind: EntryKind;
  readonly amount: Stroops;
}

/** What the entries of one stream leave on each account. The sender's is what the stream has cost, below 0. */
export type Balances = Readonly<Record<Account, Stroops>>;

export function balancesOf(entries: readonly LedgerEntry[]): Balances {
  const balances = { sender: 0n, escrow: 0n, claim: 0n, recipient: 0n };
  for (const { kind, amount } of entries) {
    balances[MOVES[kind].from] -= amount;
    balances[MOVES[kind].to] += amount;
  }
  return balances;
}

/** The sums that a stream carries along, as its entries give them. */
export interface Totals {
  readonly deposited: Stroops;
  readonly settled: Stroops;
  readonly withdrawn: Stroops;
  readonly refunded: Stroops;
}

/** What is still in escrow, so that settled + refunded + remaining = deposited. */
export function remainingOf({ deposited, settled, refunded }: Totals): Stroops {
  return deposited - settled - refunded;
}
