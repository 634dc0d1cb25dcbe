/** Says that no money moves on the network. */
export function OffChainNote() {
  return (
    <p className="text-xs leading-relaxed text-muted">
      Not on chain yet: deposits, settlements and withdrawals are entries in StreamPay’s own ledger. No
      transaction is sent to the Stellar network, and no lumen leaves an account.
    </p>
  );
}
