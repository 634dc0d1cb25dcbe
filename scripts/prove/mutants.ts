import { MUTANTS } from "../mutants/mutants.ts";
import { runMutants } from "../mutants/run-mutants.ts";
import type { Part } from "./part.ts";

/** Whether the tests see faults: each is put into the product, and one of the tests must fail. */
export const mutants: Part = async ({ tell }) => {
  const { tried, survivors } = await runMutants(MUTANTS, tell);
  return [{ what: "mutants: faults that a test sees", tried, failed: survivors, ours: true }];
};
