import type { ReactNode } from "react";

/** Decoration: the words beside it say what is loading. */
export function Spinner({ className = "size-4" }: { className?: string }) {
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
