import type { SessionDevice } from "./session-data.ts";

/** "Chrome 156 on Linux", or the part of it that is known. */
export function deviceName({ browser, os }: SessionDevice): string {
  if (browser !== null) return os === null ? browser : `${browser} on ${os}`;
  return os ?? "Unknown program";
}

export function DeviceIcon({ client }: { client: SessionDevice }) {
  const handheld = client.device !== null && client.device !== "desktop";
  return (
    <span className="inline-flex size-11 shrink-0 items-center justify-center rounded-xl bg-wash text-accent">
      <svg
        aria-hidden="true"
        viewBox="0 0 24 24"
        className="size-6"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
      >
        {handheld ? (
          <>
            <rect x="7" y="3" width="10" height="18" rx="2.5" />
            <path d="M11 18h2" strokeLinecap="round" />
          </>
        ) : (
          <>
            <rect x="3" y="4.5" width="18" height="12" rx="2" />
            <path d="M9 20h6M12 16.5V20" strokeLinecap="round" />
          </>
        )}
      </svg>
    </span>
  );
}
