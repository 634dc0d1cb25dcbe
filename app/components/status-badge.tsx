const TONES = {
  live: "bg-accent text-on-accent",
  calm: "bg-wash text-accent",
  waiting: "bg-notice-wash text-notice",
  plain: "bg-sunken text-muted",
} as const;

export const STATUS_NAMES = {
  draft: "Draft",
  queued: "Queued",
  active: "Active",
  running: "Running",
  paused: "Paused",
  completed: "Completed",
  cancelled: "Cancelled",
} as const;

/** Of a payment stream, or of an operation. */
type Status = keyof typeof STATUS_NAMES;

const STATUS_TONES: Readonly<Record<Status, keyof typeof TONES>> = {
  draft: "plain",
  queued: "plain",
  active: "live",
  running: "live",
  paused: "waiting",
  completed: "calm",
  cancelled: "plain",
};

/** One word for a status. The tone only repeats what the word says. */
export function StatusBadge({ status }: { status: Status }) {
  const tone = STATUS_TONES[status];
  return (
    <span
      className={`inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-xs font-medium whitespace-nowrap ${TONES[tone]}`}
    >
      {tone === "live" && (
        <span aria-hidden="true" className="size-1.5 rounded-full bg-current motion-safe:animate-pulse" />
      )}
      {STATUS_NAMES[status]}
    </span>
  );
}

interface ProgressBarProps {
  label: string;
  value: number;
  max: number;
  /** The value in words, for screen readers. */
  text: string;
  still?: boolean;
}

/** Shows progress. */
export function ProgressBar({ label, value, max, text, still = false }: ProgressBarProps) {
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={max}
      aria-valuenow={value}
      aria-valuetext={text}
      className="h-3 overflow-hidden rounded-full bg-sunken shadow-[inset_0_0_0_1px_var(--color-line)]"
    >
      <div
        className={`h-full origin-left rounded-full motion-safe:transition-transform motion-safe:duration-500 motion-safe:ease-out ${still ? "bg-edge" : "bg-accent"}`}
        style={{ transform: `scaleX(${max === 0 ? 1 : value / max})` }}
      />
    </div>
  );
}
