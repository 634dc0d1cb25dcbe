import { randomBytes } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { SqlDatabaseUrl } from "wallet-session/internal/databases";
import { openSql } from "../../app/lib/sql/sql.ts";
import { balancesOf, remainingOf } from "../../app/lib/streams/ledger.ts";
import { createStream } from "../../app/lib/streams/stream.ts";
import { insertStream } from "../../app/lib/streams/stream-store.ts";
import { transition } from "../../app/lib/streams/transitions.ts";
import type { AppServer } from "./app-server.ts";
import { withDatabase } from "./database.ts";

const HOUR_MS = 3_600_000;
/** Rows of one transaction: the server shares the file, and must come to its turn. */
const AT_ONCE = 250;
const RECIPIENT = "GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H";

/** Makes streams of 100 units that have run for one of their ten hours, straight in the server's file. */
export function seedStreams(server: AppServer, sender: string, count: number): Promise<string[]> {
  return seedStreamsAt({ kind: "sqlite", path: server.databasePath }, sender, count);
}

/** The same for any database. */
export async function seedStreamsAt(url: SqlDatabaseUrl, sender: string, count: number): Promise<string[]> {
  const sql = await openSql(url, (fault) => {
    throw fault;
  });
  const now = Date.now() - HOUR_MS;
  const ids: string[] = [];
  while (ids.length < count) {
    const left = Math.min(AT_ONCE, count - ids.length);
    await sql.write(async (tx) => {
      for (let made = 0; made < left; made += 1) {
        const id = randomBytes(16).toString("base64url");
        const draft = createStream(
          { id, sender, recipient: RECIPIENT, title: null, deposit: 1_000_000_000n, durationSeconds: 36_000 },
          now,
        );
        const started = transition(draft.stream, "sender", "start", now);
        if (started.outcome !== "changed") throw new Error(started.outcome);
        const cause = { at: now, actorId: sender, operationId: null, settlementId: null };
        await insertStream(tx, started.stream, [...draft.events, ...started.events], cause);
        ids.push(id);
      }
    });
    // The test's own connections to the server must hear what becomes of them.
    await setImmediate();
  }
  await sql.close();
  return ids;
}

/**
 * How often each of the streams was settled by the operation, by its history, in order. Throws unless the ledger of each
 * balances and says the same as the stream.
 */
export function settlementsOf(server: AppServer, operationId: string, ids: readonly string[]): number[] {
  return withDatabase(server, (database) => {
    const stream = database.prepare(
      "SELECT deposited, settled, withdrawn, refunded FROM streams WHERE id = ?",
    );
    const ledger = database.prepare("SELECT kind, amount FROM stream_ledger WHERE stream_id = ?");
    const history = database.prepare(
      "SELECT count(*) AS times FROM stream_history WHERE stream_id = ? AND operation_id = ? AND type IN ('settled', 'completed')",
    );
    for (const statement of [stream, ledger]) statement.setReadBigInts(true);
    return ids.map((id) => {
      const sums = stream.get(id) as {
        deposited: bigint;
        settled: bigint;
        withdrawn: bigint;
        refunded: bigint;
      };
      const { escrow, claim } = balancesOf(ledger.all(id) as never);
      if (escrow !== remainingOf(sums) || claim !== sums.settled - sums.withdrawn) {
        throw new Error(`The ledger of ${id} says otherwise.`);
      }
      return Number(history.get(id, operationId)?.times);
    });
  });
}
