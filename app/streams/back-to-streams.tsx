import Link from "next/link";

export function BackToStreams() {
  return (
    <p className="text-sm">
      <Link
        href="/streams"
        prefetch={false}
        className="inline-flex min-h-11 items-center text-muted hover:text-ink"
      >
        <span aria-hidden="true">←&nbsp;</span>Your streams
      </Link>
    </p>
  );
}
