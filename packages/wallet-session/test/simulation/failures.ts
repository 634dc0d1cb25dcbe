/** What a world that holds counts none of. */
export const FAILURES = {
  fork: "forks",
  "accepted spent": "spent tokens accepted",
  "accepted after revoke": "accepted after revoke",
  "false end": "false ends",
  "false alarm": "false alarms",
  "theft unseen": "thefts unseen",
  "bound key": "bound sessions opened without their key",
  growth: "rows that grew",
  disagreement: "tabs that disagree",
  storm: "storms of requests",
  "lost revocation": "revocations not put back",
  "old jar": "jars left old",
} as const;
export type FailureKind = keyof typeof FAILURES;

export interface Failure {
  readonly kind: FailureKind;
  readonly words: string;
}

/** Takes down what has happened, in words. */
export type Tell = (words: string) => void;

/** Says what must not be. */
export type Fail = (kind: FailureKind, words: string) => void;
