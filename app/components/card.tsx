import type { ReactNode } from "react";

interface CardProps {
  children: ReactNode;
  className?: string;
  /** The id of the heading that names it, which makes it a region. */
  labelledBy?: string;
  /** Given for a heading that stands alone. */
  title?: string;
}

export function Card({ children, className = "", labelledBy, title }: CardProps) {
  return (
    <section
      aria-labelledby={labelledBy}
      className={`rounded-2xl border border-line bg-surface p-5 sm:p-7 ${className}`}
    >
      {title !== undefined && (
        <h2 id={labelledBy} className="text-lg font-semibold tracking-tight">
          {title}
        </h2>
      )}
      {children}
    </section>
  );
}

const LOOKS = {
  danger: "border-danger/40 bg-danger-wash text-danger",
  notice: "border-notice/40 bg-notice-wash text-notice",
  calm: "border-line bg-wash text-ink",
};

/** A message in the flow of the page. One that appears later needs a live region around it. */
export function Notice({ look, children }: { look: keyof typeof LOOKS; children: ReactNode }) {
  return (
    <div className={`rounded-xl border px-4 py-3 text-sm leading-relaxed ${LOOKS[look]}`}>{children}</div>
  );
}

/** Stands in place of a list that is empty. */
export function EmptyState({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="rounded-2xl border border-dashed border-edge px-6 py-10 text-center">
      <p className="font-medium">{title}</p>
      {children !== undefined && <div className="mx-auto mt-2 max-w-md text-sm text-muted">{children}</div>}
    </div>
  );
}

/** One name and its value, in a `dl`. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt className="text-muted">{name}</dt>
      <dd className="mt-0.5 font-medium tabular-nums">{children}</dd>
    </div>
  );
}

/** Says that no money moves on the network. */
export function OffChainNote() {
  return (
    <p className="text-xs leading-relaxed text-muted">
      Not on chain yet: deposits, settlements and withdrawals are entries in StreamPay’s own ledger. No
      transaction is sent to the Stellar network, and no lumen leaves an account.
    </p>
  );
}
