"use client";

import { useToast } from "./toast.tsx";

/** The first and last characters, which people compare. */
export function shortAddress(address: string): string {
  return address.length <= 14 ? address : `${address.slice(0, 6)}…${address.slice(-6)}`;
}

/** A Stellar account, whole, with a button that copies it. */
export function Address({ address }: { address: string }) {
  const toast = useToast();

  async function copy() {
    try {
      await navigator.clipboard.writeText(address);
      toast("Address copied.");
    } catch {
      toast("The browser did not allow copying.");
    }
  }

  return (
    <span className="flex items-start gap-1">
      <span className="min-w-0 pt-2.5 font-mono text-sm leading-relaxed break-all">{address}</span>
      <button
        type="button"
        onClick={copy}
        aria-label="Copy the address"
        title="Copy the address"
        className="inline-flex size-11 shrink-0 items-center justify-center rounded-full text-muted hover:bg-sunken hover:text-ink"
      >
        <svg aria-hidden="true" viewBox="0 0 20 20" className="size-5" fill="none" stroke="currentColor">
          <rect x="7" y="7" width="9" height="9" rx="2" strokeWidth="1.5" />
          <path d="M4.5 12.5V6A1.5 1.5 0 0 1 6 4.5h6.5" strokeLinecap="round" strokeWidth="1.5" />
        </svg>
      </button>
    </span>
  );
}
