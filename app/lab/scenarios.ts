import type { Scenario } from "./scenario.ts";
import { lostAnswer } from "./scenarios/lost-answer.ts";
import { offline } from "./scenarios/offline.ts";
import { serverRestart } from "./scenarios/server-restart.ts";
import { sleep } from "./scenarios/sleep.ts";
import { stolenButBound } from "./scenarios/stolen-but-bound.ts";
import { stolenToken } from "./scenarios/stolen-token.ts";
import { twoTabs } from "./scenarios/two-tabs.ts";

export const SCENARIOS: readonly Scenario[] = [
  lostAnswer,
  twoTabs,
  stolenToken,
  stolenButBound,
  sleep,
  offline,
  serverRestart,
];
