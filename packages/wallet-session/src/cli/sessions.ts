import { systemClock } from "../clock.ts";
import { SessionError } from "../errors.ts";
import { describeSession } from "../http/endpoints/sessions.ts";
import * as limits from "../limits.ts";
import { type SessionId, sessionIdOf } from "../session-id.ts";
import type { Revocation, SessionRecord, SessionStore } from "../store.ts";
import { EXIT, type ExitCode, type Invocation, UsageError } from "./command.ts";
import { withStore } from "./settings.ts";
import { count, minute, printTable, span, timestamp } from "./table.ts";
import { progress, type Terminal } from "./terminal.ts";

/** `sessions list`: an actor's live sessions, and those of the last days that a reuse has ended. */
export async function sessionsList({ terminal, options }: Invocation): Promise<ExitCode> {
  const { actor } = options;
  if (typeof actor !== "string" || actor === "") throw new UsageError("sessions list needs --actor ACTOR.");
  const now = systemClock.now();
  const [live, ended] = await withStore(terminal, (store) =>
    Promise.all([
      store.listSessions(actor, now, limits.SESSIONS_LISTED),
      store.endedByReuse(actor, now - limits.ENDED_SESSION_KEPT_MS, limits.SESSION_ALARMS_LISTED),
    ]),
  );
  const sessions = [...live, ...ended];
  if (options.json === true) {
    terminal.out(JSON.stringify({ actor_id: actor, sessions: sessions.map(describe) }));
    return EXIT.ok;
  }
  const rows = sessions.map((session) => row(session, now));
  if (rows.length > 0) printTable(terminal, HEADINGS, rows);
  else terminal.note(`${actor} has no live session.`);
  if (live.length === limits.SESSIONS_LISTED) {
    terminal.note(`These are the newest ${count(limits.SESSIONS_LISTED, "session")}; there may be more.`);
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
  return {
    id: session.id,
    state: session.revokedReason === null ? "live" : "ended",
    revoked_at: session.revokedAt === null ? null : timestamp(session.revokedAt),
    revoked_reason: session.revokedReason,
    ...describeSession(session),
  };
}

/** Whose sessions are to end. */
type Target =
  | { readonly kind: "session"; readonly id: SessionId }
  | { readonly kind: "actor"; readonly actor: string }
  | { readonly kind: "all" };

/** `sessions revoke`: ends one session, all of an actor, or all there are. */
export async function sessionsRevoke({ terminal, operands, options }: Invocation): Promise<ExitCode> {
  const target = targetOf(operands, options);
  return withStore(terminal, async (store) => {
    if (options.yes !== true && !(await agreed(terminal, store, target))) return EXIT.failed;
    const revocation: Revocation = { reason: "admin", revokedAt: systemClock.now() };
    const say = (revoked: number, text: string) =>
      terminal.out(options.json === true ? JSON.stringify({ revoked }) : text);
    switch (target.kind) {
      case "session": {
        const hit = await store.revokeSession(target.id, revocation);
        if (!hit) return alreadyEnded(terminal, store, target.id, say);
        say(1, `Session ${target.id} has ended.`);
        return EXIT.ok;
      }
      case "actor": {
        const { length } = await store.revokeActor(target.actor, revocation, null);
        say(length, `${count(length, "session")} of ${target.actor} ended.`);
        return EXIT.ok;
      }
      case "all": {
        const revoked = await revokeAll(terminal, store, revocation);
        say(revoked, `${count(revoked, "session")} ended.`);
        return EXIT.ok;
      }
    }
  });
}

/** @throws UsageError unless exactly one is named */
function targetOf(operands: readonly string[], { actor, all }: Invocation["options"]): Target {
  const targets: Target[] = [];
  const [id] = operands;
  if (id !== undefined) targets.push({ kind: "session", id: sessionOf(id) });
  if (typeof actor === "string" && actor !== "") targets.push({ kind: "actor", actor });
  if (all === true) targets.push({ kind: "all" });
  const [target] = targets;
  if (target === undefined || targets.length > 1) {
    throw new UsageError("sessions revoke needs one of these: a session's ID, --actor ACTOR, or --all.");
  }
  return target;
}

/** @throws UsageError for a text that cannot be one */
function sessionOf(text: string): SessionId {
  const id = sessionIdOf(text);
  if (id !== null) return id;
  throw new UsageError(`${text} is no session's ID: those have 22 letters, digits, _ and -.`);
}

/** Asks the person at the terminal. Without a terminal, only --yes ends all sessions. */
async function agreed(terminal: Terminal, store: SessionStore, target: Target): Promise<boolean> {
  const answer = await terminal.confirm(await question(store, target));
  if (answer === false) terminal.note("Nothing was changed.");
  if (answer !== null) return answer;
  if (target.kind !== "all") return true;
  terminal.note("Ending all sessions signs everybody out. Nobody is there to confirm it: add --yes.");
  return false;
}

async function question(store: SessionStore, target: Target): Promise<string> {
  switch (target.kind) {
    case "session":
      return `End session ${target.id}?`;
    case "actor":
      return `End all sessions of ${target.actor}?`;
    case "all":
      return `End all ${count(await store.countSessions(systemClock.now()), "session")}? Everybody has to sign in again.`;
  }
}

async function alreadyEnded(
  terminal: Terminal,
  store: SessionStore,
  id: SessionId,
  say: (revoked: number, text: string) => void,
): Promise<ExitCode> {
  const session = await store.findSession(id);
  if (session?.revokedAt === undefined || session.revokedAt === null) {
    terminal.note(`There is no session ${id}.`);
    return EXIT.notFound;
  }
  say(0, `Session ${id} had ended already: ${session.revokedReason}, ${minute(session.revokedAt)}.`);
  return EXIT.ok;
}

async function revokeAll(terminal: Terminal, store: SessionStore, revocation: Revocation): Promise<number> {
  const about = await store.countSessions(revocation.revokedAt);
  const tell = progress(terminal);
  let revoked = 0;
  try {
    for (;;) {
      const { length } = await store.revokeBatch(revocation, limits.REVOKE_BATCH_ROWS);
      revoked += length;
      if (length < limits.REVOKE_BATCH_ROWS) return revoked;
      tell(() => `${count(revoked, "session")} of about ${about.toLocaleString("en-US")} ended so far.`);
    }
  } catch (error) {
    if (error instanceof SessionError) {
      terminal.note(`${count(revoked, "session")} ended before this. Run the command again for the others.`);
    }
    throw error;
  }
}
