import type { Stroops } from "./money.ts";

/** An amount that a recipient has earned, on its way out of escrow. */
export interface Settlement {
  /** Of this settlement alone, whatever becomes of the request or the process that asked for it. */
  readonly id: string;
  readonly streamId: string;
  readonly sender: string;
  readonly recipient: string;
  readonly amount: Stroops;
  readonly asset: "XLM";
}

/** Why a settlement will never be carried out. Closed: a new one is a change of docs/api.md. */
export type SettlementRefusal =
  /** The recipient's account is not on the network. */
  | "recipient_missing"
  /** It is, and does not take the payment. */
  | "recipient_refuses"
  /** The network would not take the transaction, for whatever other reason. */
  | "rejected";

/** `reference`: what outsiders find the settlement by, a transaction's hash; null for none. `refused`: nothing has moved, ever. */
type SettlementOutcome = { readonly reference: string | null } | { readonly refused: SettlementRefusal };

/**
 * What carries settlements out, a sender of Stellar transactions for example. The settlement is in the database before
 * `settle` is called, and is recorded as done after it has resolved; a crash in between, or another process in a hurry,
 * calls it again.
 */
export interface SettlementSender {
  /**
   * Idempotent by `id`: any number of calls, also at once and from several processes, moves the amount once and resolves to
   * the same. A refusal is for good as well: under this id nothing has moved and nothing will, so that the settlement is taken
   * back. A rejection means that the outcome is unknown: the same settlement is sent again, and its stream takes no other
   * command until it is decided.
   */
  settle(settlement: Settlement): Promise<SettlementOutcome>;
}

/** What a sender has said of a settlement. */
export type Sent = { readonly id: string } & SettlementOutcome;

/** Moves nothing on chain: a settlement is what the app's own ledger says, and no more. */
export const ledgerOnly: SettlementSender = { settle: async () => ({ reference: null }) };
