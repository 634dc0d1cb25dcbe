import { inRounds } from "../finding.ts";
import type { Scenario } from "../scenario.ts";
import { newRetryKey, type Stage } from "../stage.ts";

/** The server rotates, its answer is lost, and the holder sends the same request again after `between`. */
async function retryAfter(stage: Stage, between: () => Promise<void>): Promise<string | null> {
  const held = await stage.signIn();
  const retryKey = newRetryKey();
  await stage.renewed(held, retryKey);
  await between();
  const retry = await stage.refresh(held, retryKey);
  if (retry.kind !== "renewed") return `the retry was answered ${retry.answer}: the user is signed out`;
  const refusal = await stage.goesOn(retry.tokens);
  return refusal === null ? null : `the retry was renewed, but its tokens were answered ${refusal}`;
}

const failureMeans =
  "A phone that loses one answer in a tunnel has a spent token, and its user has to sign in again.";

export const retries: readonly Scenario[] = [
  {
    name: "retry-at-once",
    proves: "A client whose answer was lost sends its request again, and stays signed in.",
    failureMeans,
    seenIn: "zitadel/zitadel#9631: 5 % of devices a day; a FAPI 2.0 draft (5.3.2.1) asked for it",
    claims: ["retry"],
    needs: [],
    play: (stage) =>
      inRounds(stage.rounds, "each retry was renewed, and the session went on", () =>
        retryAfter(stage, async () => {}),
      ),
  },
  {
    name: "retry-after-seconds",
    proves: "The same, when the network is away for some seconds.",
    failureMeans,
    seenIn: "get-engram/engram#389: 80 sessions lost in 7 weeks by lost answers",
    claims: ["retry"],
    needs: [],
    play: (stage) =>
      inRounds(1, "the retry was renewed, and the session went on", () =>
        retryAfter(stage, () => stage.waitSeconds()),
      ),
  },
  {
    name: "retry-after-restart",
    proves: "The same, when the server died after it had rotated and was started again.",
    failureMeans: "Each deployment or crash signs out those who were refreshing at that moment.",
    seenIn:
      "retries that are remembered in one process only: supabase/auth failovers, in-memory grace caches",
    claims: ["retry", "durable"],
    needs: ["restart"],
    play: (stage) =>
      inRounds(1, "the retry was renewed by the server that was started again", () =>
        retryAfter(stage, () => stage.restart(stage.claims.retry?.withinMs)),
      ),
  },
];
