import { errorOf, type SessionClient, SessionClientError } from "wallet-session/client";

/** One of `GET /api/auth/sessions`, as far as it is shown. Times in ISO 8601. */
export interface ListedSession {
  readonly id: string;
  readonly current: boolean;
  readonly created_at: string;
  readonly last_active_at: string;
  readonly expires_at: string;
  readonly generation: number;
  readonly client: {
    readonly browser: string | null;
    readonly os: string | null;
    readonly device: string | null;
    readonly ip: string | null;
  };
}

export interface SessionData {
  readonly actorId: string;
  readonly sessions: readonly ListedSession[];
}

/** @throws SessionClientError */
export async function loadSessionData(client: SessionClient): Promise<SessionData> {
  const [session, list] = await Promise.all([
    call(client, "GET", "/api/auth/session"),
    call(client, "GET", "/api/auth/sessions"),
  ]);
  const { actor_id: actorId }: { actor_id: string } = await session.json();
  const { sessions }: { sessions: ListedSession[] } = await list.json();
  return { actorId, sessions };
}

/** Ends one session; also fine when it has ended already. @throws SessionClientError */
export async function endSession(client: SessionClient, id: string): Promise<void> {
  try {
    await call(client, "DELETE", `/api/auth/sessions/${encodeURIComponent(id)}`);
  } catch (error) {
    if (!(error instanceof SessionClientError && error.code === "not_found")) throw error;
  }
}

/** Ends all sessions but this one; resolves with how many. @throws SessionClientError */
export async function endOtherSessions(client: SessionClient): Promise<number> {
  const response = await call(client, "DELETE", "/api/auth/sessions");
  const { revoked }: { revoked: number } = await response.json();
  return revoked;
}

async function call(client: SessionClient, method: string, path: string): Promise<Response> {
  const response = await client.fetch(path, { method, cache: "no-store" }).catch((cause: unknown) => {
    throw new SessionClientError("network_error", "The server could not be reached", { cause });
  });
  if (!response.ok) throw await errorOf(response);
  return response;
}
