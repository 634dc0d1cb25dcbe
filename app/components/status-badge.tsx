const TONES = {
  live: "bg-accent text-on-accent",
  calm: "bg-wash text-accent",
  waiting: "bg-notice-wash text-notice",
  plain: "bg-sunken text-muted",
} as const;

export type Tone = keyof typeof TONES;

/** One word for a status. The tone only repeats what the word says. */
export function StatusBadge({ tone, children }: { tone: Tone; children: string }) {
  return (
    <span
      className={`inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-xs font-medium whitespace-nowrap ${TONES[tone]}`}
    >
      {tone === "live" && (
        <span aria-hidden="true" className="size-1.5 rounded-full bg-current motion-safe:animate-pulse" />
      )}
      {children}
    </span>
  );
}
