import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "../../scripts/setup/root.mjs";
import type { AppServer } from "./app-server.ts";

const PROGRAM = join(root, "test/support/lossy-program.ts");

/** How often a program signed, and what else it said that is no refresh. */
interface Course {
  readonly signatures: number;
  readonly refreshes: number;
  readonly others: readonly string[];
}

/**
 * Runs a program with a session of its own until it has refreshed `refreshes` times, and kills it, then the server, then it
 * again and so on, each after `between` refreshes more. `keyFile`: of a DPoP key, which binds the session.
 */
export async function throughKills(
  server: AppServer,
  file: string,
  { refreshes, between, keyFile }: { refreshes: number; between: number; keyFile?: string },
): Promise<Course> {
  const course = { signatures: 0, refreshes: 0, others: [] as string[] };
  let program = start();

  function start(): ChildProcess {
    const args = [PROGRAM, `${server.publicUrl}/api/auth`, file, ...(keyFile === undefined ? [] : [keyFile])];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    createInterface(child.stdout).on("line", (line) => {
      if (line === "refreshed") course.refreshes += 1;
      else if (line === "signed") course.signatures += 1;
      else course.others.push(line);
      child.emit("said");
    });
    child.once("close", () => child.emit("said"));
    return child;
  }

  async function end(): Promise<void> {
    if (program.exitCode !== null) return;
    const ended = once(program, "close");
    program.kill("SIGKILL");
    await ended;
  }

  try {
    for (let kills = 0; course.refreshes < refreshes; kills += 1) {
      const until = Math.min(refreshes, course.refreshes + between);
      while (course.refreshes < until) {
        if (program.exitCode !== null) throw new Error(`The program has ended, with ${program.exitCode}.`);
        await once(program, "said");
      }
      if (kills % 2 === 1) {
        await server.restart("SIGKILL");
      } else {
        await end();
        program = start();
      }
    }
  } finally {
    await end();
  }
  return course;
}
