import { randomBytes } from "node:crypto";
import type { Clock, RandomBytes } from "wallet-session";
import { reportFault } from "../auth.ts";
import { streamsDatabase } from "../db.ts";
import type { Sql } from "../sql/sql.ts";
import { ledgerOnly, type SettlementSender } from "./settlement.ts";

/** What the streams work with. */
export interface StreamsContext {
  readonly sql: Sql;
  readonly sender: SettlementSender;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

/** What this process works with. @throws what `streamsDatabase` throws */
export async function streamsContext(): Promise<StreamsContext> {
  return { sql: await streamsDatabase(reportFault), sender: ledgerOnly, clock: Date, random: randomBytes };
}
