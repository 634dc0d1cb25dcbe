import type { ReactNode } from "react";

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
