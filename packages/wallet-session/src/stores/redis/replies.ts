import type { SessionId, SessionRecord } from "../../store.ts";
import type { Reply } from "./driver.ts";
import { decodeId, decodeSession, unreadable } from "./rows.ts";

/** Answers of the form id, row, id, row. */
export function decodeSessions(reply: Reply): SessionRecord[] {
  const values = list(reply);
  return Array.from({ length: values.length / 2 }, (_, index) =>
    decodeSession(decodeId(bytes(values[2 * index])), bytes(values[2 * index + 1])),
  );
}

export function decodeIds(reply: Reply): SessionId[] {
  return list(reply).map((id) => decodeId(bytes(id)));
}

export function list(reply: Reply | undefined): readonly Reply[] {
  if (!isList(reply)) throw unreadable();
  return reply;
}

function isList(reply: Reply | undefined): reply is readonly Reply[] {
  return Array.isArray(reply);
}

export function bytes(reply: Reply | undefined): Buffer {
  if (!Buffer.isBuffer(reply)) throw unreadable();
  return reply;
}

export function integer(reply: Reply | undefined): number {
  if (typeof reply !== "number") throw unreadable();
  return reply;
}
