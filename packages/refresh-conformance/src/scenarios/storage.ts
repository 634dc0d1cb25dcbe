import { type Finding, inRounds } from "../finding.ts";
import type { Scenario } from "../scenario.ts";
import { newRetryKey, type Stage } from "../stage.ts";

const WARM_UP = 10;

async function growth(stage: Stage): Promise<Finding> {
  const rows = async () => (await stage.adapter.storedRows?.()) ?? 0;
  let tokens = await stage.signIn();
  for (let count = 0; count < WARM_UP; count += 1) tokens = await stage.renewed(tokens, newRetryKey());
  const before = await rows();
  for (let count = 0; count < stage.refreshes; count += 1)
    tokens = await stage.renewed(tokens, newRetryKey());
  const added = (await rows()) - before;
  return {
    holds: added <= 0,
    tried: stage.refreshes,
    observed: `${stage.refreshes} refreshes of one session added ${Math.max(0, added)} rows`,
  };
}

async function storeDown(stage: Stage): Promise<string | null> {
  const tokens = await stage.signIn();
  const retryKey = newRetryKey();
  const repair = await stage.adapter.breakStore?.();
  const meanwhile = await stage.adapter.refresh(tokens, retryKey).finally(() => repair?.());
  if (meanwhile.kind === "refused")
    return `with the store away the refresh was answered ${meanwhile.answer}: the user is signed out`;
  const after = await stage.refresh(tokens, retryKey);
  if (after.kind === "renewed") return null;
  return `answered ${meanwhile.answer} with the store away, and ${after.answer} when it was back: the user is signed out`;
}

export const storage: readonly Scenario[] = [
  {
    name: "storage-growth",
    proves: "A session takes the same room after many refreshes as after a few.",
    failureMeans:
      "The table of tokens grows with each refresh, until somebody has to clean it up or it is full.",
    seenIn: "token tables with a row for each refresh: ory/hydra, supabase/auth before version 2",
    claims: ["bounded"],
    needs: ["storedRows"],
    play: growth,
  },
  {
    name: "store-down",
    proves: "A store that is away for a moment signs nobody out.",
    failureMeans: "A failover of the database signs everybody out.",
    seenIn:
      "supabase/auth: a failover logs users out; nightscout/nocturne#391: signed in 19 times in 2.5 hours",
    claims: ["faults"],
    needs: ["breakStore"],
    play: (stage) =>
      inRounds(1, "the refresh was put off, and renewed when the store was back", () => storeDown(stage)),
  },
];
