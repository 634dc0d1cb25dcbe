import type { Claims, OptionalStep } from "./adapter.ts";
import type { Finding } from "./finding.ts";
import type { Stage } from "./stage.ts";

/** One mishap. It says what it needs, so that nothing is asserted of a server that does not claim it. */
export interface Scenario {
  readonly name: string;
  readonly proves: string;
  /** What a failure means to the people who use the server. */
  readonly failureMeans: string;
  /** Where it has happened, in public. */
  readonly seenIn: string;
  /** All of them must be claimed, else nothing is asserted. */
  readonly claims: readonly (keyof Claims)[];
  /** Without them it cannot be tried. */
  readonly needs: readonly OptionalStep[];
  play(stage: Stage): Promise<Finding>;
}

export type Status = "holds" | "fails" | "not-claimed" | "cannot-be-tried" | "error";

export interface Result {
  readonly scenario: Scenario;
  readonly status: Status;
  /** Null where it was not played. */
  readonly finding: Finding | null;
  /** Why it was not played, or not asserted, or what went wrong. */
  readonly why: string | null;
  readonly milliseconds: number;
}
