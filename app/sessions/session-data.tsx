import { type SessionClient, SessionClientError } from "wallet-session/client";
import { read, remove } from "../components/request.ts";

/** What a session was signed in with, as far as it is known. */
interface SessionDevice {
  readonly browser: string | null;
  readonly os: string | null;
  readonly device: string | null;
  /** Cut off: a network, not an address. */
  readonly ip: string | null;
}

/** A session of `GET /api/auth/sessions`, the members that are shown. Times in ISO 8601. */
export interface ListedSession {
  readonly id: string;
  readonly current: boolean;
  readonly created_at: string;
  readonly last_active_at: string;
  readonly expires_at: string;
  readonly generation: number;
  /** What it is tied to: its browser's key, or one that a program keeps. */
  readonly binding: "device" | "dpop" | null;
  /** When somebody last tried to use it without that key. */
  readonly proof_failed_at: string | null;
  readonly client: SessionDevice;
}

/** A session that was ended because a spent token of it was used again. */
export interface SessionAlarm {
  readonly session_id: string;
  readonly at: string;
  readonly client: SessionDevice;
}

/** Newest first. @throws SessionClientError */
export async function listSessions(client: SessionClient): Promise<readonly ListedSession[]> {
  const { sessions } = await read<{ sessions: readonly ListedSession[] }>(client, "/api/auth/sessions");
  return sessions;
}

/** Newest first. @throws SessionClientError */
export async function listAlarms(client: SessionClient): Promise<readonly SessionAlarm[]> {
  const { alarms } = await read<{ alarms: readonly SessionAlarm[] }>(client, "/api/auth/alarms");
  return alarms;
}

/** Ends one session; also fine when it has ended already. @throws SessionClientError */
export async function revokeSession(client: SessionClient, id: string): Promise<void> {
  try {
    await remove(client, `/api/auth/sessions/${encodeURIComponent(id)}`);
  } catch (error) {
    if (!(error instanceof SessionClientError && error.code === "not_found")) throw error;
  }
}

/** Ends all sessions but this one; resolves with how many. @throws SessionClientError */
export async function endOtherSessions(client: SessionClient): Promise<number> {
  const response = await remove(client, "/api/auth/sessions");
  const { revoked }: { revoked: number } = await response.json();
  return revoked;
}

/** "Chrome 156 on Linux", or the part of it that is known. */
export function deviceName({ browser, os }: SessionDevice): string {
  if (browser !== null) return os === null ? browser : `${browser} on ${os}`;
  return os ?? "Unknown program";
}

/** What a session is tied to, in words; null for one that is tied to nothing. */
export function tiedTo({ binding, current }: ListedSession): string | null {
  switch (binding) {
    case "device":
      return current ? "Tied to this device" : "Tied to its device";
    case "dpop":
      return "Tied to a key";
    case null:
      return null;
  }
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
