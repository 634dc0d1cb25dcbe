import type { ReactNode } from "react";

interface CardProps {
  children: ReactNode;
  className?: string;
  /** The id of the heading that names it, which makes it a region. */
  labelledBy?: string;
}

export function Card({ children, className = "", labelledBy }: CardProps) {
  return (
    <section
      aria-labelledby={labelledBy}
      className={`rounded-2xl border border-line bg-surface p-5 sm:p-7 ${className}`}
    >
      {children}
    </section>
  );
}
