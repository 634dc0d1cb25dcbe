import { createPositions } from "./migrations/0001-positions.ts";
import { createStreams } from "./migrations/0002-streams.ts";
import { createOperations } from "./migrations/0003-operations.ts";
import { createIdempotentAnswers } from "./migrations/0004-idempotent-answers.ts";
import { createOperationTurns } from "./migrations/0005-operation-turns.ts";
import { addSettlementRefusals } from "./migrations/0006-settlement-refusals.ts";
import type { Tx } from "./sql.ts";

/**
 * The steps that make the schema, in this order. They are never edited once released, only added, and say nothing that is one
 * database's own: all take the same steps.
 */
export const MIGRATIONS: Readonly<Record<string, (tx: Tx) => Promise<void>>> = {
  "0001-positions": createPositions,
  "0002-streams": createStreams,
  "0003-operations": createOperations,
  "0004-idempotent-answers": createIdempotentAnswers,
  "0005-operation-turns": createOperationTurns,
  "0006-settlement-refusals": addSettlementRefusals,
};
