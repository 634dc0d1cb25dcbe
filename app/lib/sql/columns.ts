import type { ColumnType } from "kysely";

/** An integer of up to 64 bits: an amount in stroops, a time in epoch milliseconds, a count. It is always read as a `bigint`. */
export type Int = ColumnType<bigint, bigint | number, bigint | number>;
