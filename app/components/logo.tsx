/** Two streams side by side. */
export function Logo({ nameHiddenOnPhone = false }: { nameHiddenOnPhone?: boolean }) {
  return (
    <span className="inline-flex items-center gap-2.5">
      <svg aria-hidden="true" viewBox="0 0 28 28" className="size-7 text-accent" fill="none">
        <rect width="28" height="28" rx="8" fill="currentColor" />
        <path
          d="M5 11.5c3.5-4 6-4 9 0s5.5 4 9 0"
          stroke="var(--on-accent)"
          strokeLinecap="round"
          strokeWidth="2.25"
        />
        <path
          d="M5 17.5c3.5-4 6-4 9 0s5.5 4 9 0"
          stroke="var(--on-accent)"
          strokeLinecap="round"
          strokeOpacity="0.6"
          strokeWidth="2.25"
        />
      </svg>
      <span
        className={`text-base font-semibold tracking-tight ${nameHiddenOnPhone ? "hidden sm:inline" : ""}`}
      >
        StreamPay
      </span>
    </span>
  );
}
