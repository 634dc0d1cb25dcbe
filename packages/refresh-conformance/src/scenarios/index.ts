import type { Scenario } from "../scenario.ts";
import { ends } from "./ends.ts";
import { retries } from "./retries.ts";
import { storage } from "./storage.ts";
import { tabs } from "./tabs.ts";
import { thefts } from "./thefts.ts";

/** In the order in which they are played. Names are stable. */
export const SCENARIOS: readonly Scenario[] = [...retries, ...tabs, ...thefts, ...ends, ...storage];
