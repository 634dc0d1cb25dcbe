import type { ComponentProps, ReactNode } from "react";

export type ButtonLook = "primary" | "secondary" | "quiet" | "danger";

const SHAPE =
  "inline-flex min-h-11 items-center justify-center gap-2 rounded-full px-5 text-sm font-medium motion-safe:transition-colors";

const LOOKS: Record<ButtonLook, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong",
  secondary: "border border-edge bg-surface text-ink hover:bg-sunken",
  quiet: "text-ink hover:bg-sunken",
  danger: "border border-danger text-danger hover:bg-danger-wash",
};

/** For links that look like buttons. */
export function buttonClass(look: ButtonLook): string {
  return `${SHAPE} ${LOOKS[look]}`;
}

interface ButtonProps extends ComponentProps<"button"> {
  look?: ButtonLook;
  /** Shows that it is at work and takes no second press. It stays in the tab order. */
  busy?: boolean;
  /** Takes no press while another act is at work. It stays in the tab order. */
  held?: boolean;
}

export function Button({
  look = "secondary",
  busy = false,
  held = false,
  className = "",
  children,
  onClick,
  ...rest
}: ButtonProps) {
  const deaf = busy || held;
  return (
    <button
      type="button"
      aria-disabled={deaf || undefined}
      className={`${buttonClass(look)} aria-disabled:cursor-progress aria-disabled:opacity-70 ${className}`}
      onClick={deaf ? (event) => event.preventDefault() : onClick}
      {...rest}
    >
      {busy && <Spinner />}
      {children}
    </button>
  );
}

/** Decoration: the words beside it say what is loading. */
function Spinner({ className = "size-4" }: { className?: string }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 16 16" className={`${className} shrink-0 motion-safe:animate-spin`}>
      <circle cx="8" cy="8" r="6.5" fill="none" stroke="currentColor" strokeOpacity="0.25" strokeWidth="2" />
      <path
        d="M14.5 8A6.5 6.5 0 0 0 8 1.5"
        fill="none"
        stroke="currentColor"
        strokeLinecap="round"
        strokeWidth="2"
      />
    </svg>
  );
}

/** Stands where a page's content is about to be. */
export function Loading({ children }: { children: ReactNode }) {
  return (
    <p role="status" className="mt-10 flex items-center gap-3 text-muted">
      <Spinner /> {children}
    </p>
  );
}
