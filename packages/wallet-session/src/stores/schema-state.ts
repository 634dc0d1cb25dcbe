/** How the schema of a database stands beside the one that this package makes. */
export interface SchemaState {
  /** 0: there is none yet. */
  readonly version: number;
  /** The version that this package makes. */
  readonly known: number;
  /** The SQL that a migration would run, one text for each version, all in one transaction. */
  readonly pending: readonly string[];
}
