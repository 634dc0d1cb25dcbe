import type { Migration } from "kysely/migration";
import { createPositions } from "./migrations/0001-positions.ts";
import { createStreams } from "./migrations/0002-streams.ts";
import { createOperations } from "./migrations/0003-operations.ts";
import { createIdempotentAnswers } from "./migrations/0004-idempotent-answers.ts";
import { createOperationTurns } from "./migrations/0005-operation-turns.ts";
import { addSettlementRefusals } from "./migrations/0006-settlement-refusals.ts";

/**
 * The steps that make the schema, in the order of their names. A released one is never edited. None says anything that is one
 * database's own: all databases take the same steps.
 */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-positions": { up: createPositions },
  "0002-streams": { up: createStreams },
  "0003-operations": { up: createOperations },
  "0004-idempotent-answers": { up: createIdempotentAnswers },
  "0005-operation-turns": { up: createOperationTurns },
  "0006-settlement-refusals": { up: addSettlementRefusals },
};
