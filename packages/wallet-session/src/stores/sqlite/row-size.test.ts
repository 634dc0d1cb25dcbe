import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";
import type { SessionRecord, SessionStore } from "../../store.ts";
import { afterSwap, assertRow, bytes, create, swapOf } from "../../testing/store-conformance-fixtures.ts";
import { openSqliteStore } from "../sqlite.ts";

const newPath = temporaryDirectory();

/** Bytes of the sessions as they lie in the file, their table and its indexes, as SQLite itself counts them. */
function storedBytes(path: string): unknown {
  const database = new DatabaseSync(path, { readOnly: true });
  const query = `SELECT name, sum(payload) AS payload, sum(pgsize) AS pages FROM dbstat
    WHERE name LIKE 'sessions%' GROUP BY name ORDER BY name`;
  const bytes = database.prepare(query).all();
  database.close();
  return bytes;
}

/** Asks for all rotations of a group at once: they run in order, so each finds the generation that it expects. */
async function rotateOn(store: SessionStore, session: SessionRecord, times: number): Promise<SessionRecord> {
  let row = session;
  const rotations: Promise<unknown>[] = [];
  for (let time = 0; time < times; time += 1) {
    const swap = swapOf(row, `${row.generation}`, {
      now: row.rotatedAt + 1,
      retryKeyHash: bytes(`retry ${row.generation}`, 32),
    });
    rotations.push(store.rotate(swap));
    row = afterSwap(row, swap);
    if (rotations.length === 250) await Promise.all(rotations.splice(0));
  }
  await Promise.all(rotations);
  return row;
}

test("a session takes the same bytes after 10,000 rotations as after one", async () => {
  const path = newPath("sessions.db");
  const store = openSqliteStore({ path });
  const once = await rotateOn(store, await create(store, "a"), 1);
  const after1 = storedBytes(path);
  const often = await rotateOn(store, once, 9_999);
  expect(often.generation).toBe(10_001);
  await assertRow(store, often);
  expect(storedBytes(path)).toEqual(after1);
  await store.close();
});
