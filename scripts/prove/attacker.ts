// What a stranger can send: texts that a fuzzer makes up, signatures that no library makes, requests that are
// read in two ways; and what the time of a refusal tells.
import { readCorpus } from "../../packages/wallet-session/test/fuzz/corpus.ts";
import { startCoverage } from "../../packages/wallet-session/test/fuzz/coverage.ts";
import { fuzz } from "../../packages/wallet-session/test/fuzz/fuzz.ts";
import { TARGETS } from "../../packages/wallet-session/test/fuzz/targets.ts";
import { SIGNATURE_CASES } from "../../packages/wallet-session/test/signatures/paths.ts";
import { timings } from "../../packages/wallet-session/test/timing.ts";
import { startApp, startServe } from "../../test/support/app-server.ts";
import { faultOfTarget, HOSTILE_TARGETS, outcomeOf, SHAPES } from "../../test/support/smuggling.ts";
import { ensureBuilt } from "../setup/built.ts";
import type { Part, Proof } from "./part.ts";

/** On each parser: enough to come to what is a few steps away from its corpus. */
const FUZZED_INPUTS = 20_000;
/** Of each side: enough to see a few nanoseconds of a MAC, and a few hundred of an endpoint. */
const TIMED_SAMPLES = 2_000;

export const attacker: Part = async ({ tell }) => [
  await fuzzing(tell),
  await signatures(),
  ...(await smuggling()),
  await timing(tell),
];

async function fuzzing(tell: (text: string) => void): Promise<Proof> {
  const coverage = await startCoverage();
  const failed: string[] = [];
  let sum = 0;
  for (const target of TARGETS) {
    const { tried, findings } = await fuzz({
      target,
      corpus: readCorpus(target.name),
      coverage,
      seed: "prove",
      goesOn: (already) => already < FUZZED_INPUTS,
    });
    sum += tried;
    for (const { why } of findings) tell(`${target.name}: ${why}`);
    if (findings.length > 0) failed.push(target.name);
  }
  await coverage.stop();
  return { what: `inputs of a fuzzer, on ${TARGETS.length} parsers`, tried: sum, failed, ours: true };
}

async function timing(tell: (text: string) => void): Promise<Proof> {
  const timed = await timings(TIMED_SAMPLES);
  for (const { name, longerNs, errorNs, t } of timed) {
    tell(
      `${name}: ${longerNs.toFixed(1)} ns longer than a wrong one, ± ${errorNs.toFixed(1)}, t ${t.toFixed(1)}`,
    );
  }
  return {
    what: "refusals that are nearly right, timed beside wrong ones",
    tried: timed.reduce((sum, { samples }) => sum + samples, 0),
    failed: timed.filter(({ tells, isSecret }) => tells && isSecret).map(({ name }) => name),
    ours: true,
  };
}

async function signatures(): Promise<Proof> {
  const failed: string[] = [];
  for (const { name, holds, isTaken } of SIGNATURE_CASES) if ((await isTaken()) !== holds) failed.push(name);
  return {
    what: "signatures and keys that no library makes",
    tried: SIGNATURE_CASES.length,
    failed,
    ours: true,
  };
}

async function smuggling(): Promise<Proof[]> {
  await ensureBuilt();
  const proofs: Proof[] = [];
  for (const [name, start] of [
    ["StreamPay", startApp],
    ["serve", startServe],
  ] as const) {
    const server = await start();
    const failed: string[] = [];
    for (const shape of SHAPES) {
      const outcome = await outcomeOf(server.address, shape);
      if (outcome !== shape.outcome) failed.push(`${shape.name}: ${outcome}`);
    }
    for (const target of HOSTILE_TARGETS) {
      const fault = await faultOfTarget(server.address, target);
      if (fault !== null) failed.push(`${target}: ${fault}`);
    }
    await server.stop();
    const what = `requests that are read in two ways, sent to ${name}`;
    proofs.push({ what, tried: SHAPES.length + HOSTILE_TARGETS.length, failed, ours: true });
  }
  return proofs;
}
