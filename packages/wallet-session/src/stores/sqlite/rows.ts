import type { SessionRecord } from "../../store.ts";
import * as sql from "../sql/rows.ts";
import { blob } from "../values.ts";

/** 4 bytes, big-endian: the same size for every generation. @throws RangeError if it is not a 32-bit number */
export function encodeGeneration(generation: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(generation);
  return bytes;
}

/** In the order of SESSION_COLUMNS. @throws RangeError for an id or a generation that cannot be stored */
export function encodeSession(session: SessionRecord): sql.SqlValue[] {
  return sql.encodeSession(session, encodeGeneration(session.generation));
}

/** @throws when the row is not one that this store has written */
export function decodeSession(row: sql.Row): SessionRecord {
  return sql.decodeSession(row, decodeGeneration(blob(row.generation)));
}

function decodeGeneration(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
}
