import { systemClock } from "../clock.ts";
import { ENDED_SESSION_KEPT_MS, SESSION_ALARMS_LISTED, SESSIONS_LISTED } from "../limits.ts";
import type { SessionRecord } from "../store.ts";
import { EXIT, type ExitCode, type Invocation, UsageError } from "./command.ts";
import { count, minute, span, table, timestamp } from "./table.ts";
import { withStore } from "./with-store.ts";

/** `sessions list`: an actor's live sessions, and those of the last days that a reuse has ended. */
export async function sessionsList({ terminal, options }: Invocation): Promise<ExitCode> {
  const { actor } = options;
  if (typeof actor !== "string" || actor === "") throw new UsageError("sessions list needs --actor ACTOR.");
  const now = systemClock.now();
  const [live, ended] = await withStore(terminal, (store) =>
    Promise.all([
      store.listSessions(actor, now, SESSIONS_LISTED),
      store.endedByReuse(actor, now - ENDED_SESSION_KEPT_MS, SESSION_ALARMS_LISTED),
    ]),
  );
  const sessions = [...live, ...ended];
  if (options.json === true) {
    terminal.out(JSON.stringify({ actor_id: actor, sessions: sessions.map(describe) }));
    return EXIT.ok;
  }
  if (sessions.length === 0) terminal.note(`${actor} has no live session.`);
  else {
    const rows = sessions.map((session) => row(session, now));
    for (const line of table(HEADINGS, rows)) terminal.out(line);
  }
  if (live.length === SESSIONS_LISTED) {
    terminal.note(`These are the newest ${count(SESSIONS_LISTED, "session")}; there may be more.`);
  }
  return EXIT.ok;
}

const HEADINGS = ["ID", "STATE", "CREATED", "LAST ACTIVE", "CLIENT", "TRANSPORT", "GENERATION"];

function row(session: SessionRecord, now: number): string[] {
  const { browser, os, device, ip } = session.client;
  return [
    session.id,
    session.revokedReason === null ? "live" : `ended: ${session.revokedReason}`,
    minute(session.createdAt),
    `${span(now - session.rotatedAt)} ago`,
    [browser, os, device, ip].filter((part) => part !== null).join(", ") || "unknown",
    session.transport,
    String(session.generation),
  ];
}

/** As `GET /api/auth/sessions` says it, and how a session stands. */
function describe(session: SessionRecord) {
  const { browser, os, device, ip } = session.client;
  return {
    id: session.id,
    state: session.revokedReason === null ? "live" : "ended",
    revoked_at: session.revokedAt === null ? null : timestamp(session.revokedAt),
    revoked_reason: session.revokedReason,
    created_at: timestamp(session.createdAt),
    last_active_at: timestamp(session.rotatedAt),
    idle_expires_at: timestamp(session.idleExpiresAt),
    expires_at: timestamp(session.expiresAt),
    generation: session.generation,
    transport: session.transport,
    client: { browser, os, device, ip },
  };
}
