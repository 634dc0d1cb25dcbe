import { randomBytes } from "node:crypto";
import type { Clock, RandomBytes } from "wallet-session";
import type { Sql } from "../sql/sql.ts";
import { streamsDatabase } from "../streams-database.ts";
import { ledgerOnly, type SettlementSender } from "./settlement.ts";

/** What the streams work with. */
export interface StreamsContext {
  readonly sql: Sql;
  readonly sender: SettlementSender;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

/** That of this process. @throws what `streamsDatabase` throws */
export async function streamsContext(): Promise<StreamsContext> {
  return { sql: await streamsDatabase(), sender: ledgerOnly, clock: Date, random: randomBytes };
}
