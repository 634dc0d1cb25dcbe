/** A line of the table: what was tried, how often, and the names of what failed. */
export interface Proof {
  readonly what: string;
  readonly tried: number;
  readonly failed: readonly string[];
  /** False of other people's servers: what fails there is told, and fails nothing here. */
  readonly ours: boolean;
}

interface PartOptions {
  tell(text: string): void;
  /** Where results are kept; null: nowhere. */
  readonly out: string | null;
}

/** One part of `npm run prove`. */
export type Part = (options: PartOptions) => Promise<readonly Proof[]>;
