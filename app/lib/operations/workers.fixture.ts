import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { type Place, temporaryDirectory } from "../sql/databases.fixture.ts";
import { CLAIM_MS } from "./limits.ts";

const CHILD = fileURLToPath(new URL("./crash-child.fixture.ts", import.meta.url));

/** A point that no worker comes to. */
const NOWHERE = "nowhere";

/** Workers in processes of their own. They end with the test. */
export function workersAt(place: Place) {
  const sentLog = join(temporaryDirectory(), "sent");

  /** `now`: what its clock says all the time; null: it goes by the machine's. */
  function startWorkerProcess(
    now: number | null,
    { point = NOWHERE, claimMs = CLAIM_MS } = {},
  ): ChildProcess {
    const given = [JSON.stringify(place), sentLog, String(now ?? ""), point, String(claimMs)];
    const child = spawn(process.execPath, [CHILD, ...given], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  }

  /** Runs a worker until it has come to the point, and stands still there. */
  async function stoppedAt(point: string, now: number | null, claimMs = CLAIM_MS): Promise<ChildProcess> {
    const child = startWorkerProcess(now, { point, claimMs });
    if (child.stdout === null) throw new Error("no output");
    await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
    if (child.exitCode !== null) throw new Error(`The worker has ended before ${point}.`);
    return child;
  }

  /** What they have sent: the settlement's id, the stream's and the amount, a line each. */
  const sent = () => (existsSync(sentLog) ? readFileSync(sentLog, "utf8").trim().split("\n") : []);

  return { startWorkerProcess, stoppedAt, sent };
}

export async function killed(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
