import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";
import { bytes, sessionId } from "../../testing/store-conformance-fixtures.ts";
import { openSqliteStore } from "../sqlite.ts";

const newPath = temporaryDirectory();
const CHAINS = 8;

/** Rotates 8 sessions for ever and prints "session generation" once, and only once, a rotation is acknowledged. */
const ROTATE_FOR_EVER = `
  import { writeSync } from "node:fs";
  const [sqlite, fixtures, path] = process.argv.slice(1);
  const { openSqliteStore } = await import(sqlite);
  const { create, swapOf, afterSwap } = await import(fixtures);
  const store = openSqliteStore({ path });
  for (let chain = 0; chain < ${CHAINS}; chain += 1) {
    const rotateOn = async (session) => {
      const swap = swapOf(session, chain + " " + session.generation, { now: session.rotatedAt + 1 });
      if ((await store.rotate(swap)).outcome !== "rotated") throw new Error("not rotated");
      writeSync(1, chain + " " + (session.generation + 1) + "\\n");
      await rotateOn(afterSwap(session, swap));
    };
    create(store, String(chain)).then(rotateOn);
  }
`;

test.each([1, 97, 1_500])(
  "killed after %i acknowledged rotations, every one of them is there",
  async (lines) => {
    const path = newPath("sessions.db");
    const modules = ["../sqlite.ts", "../../testing/store-conformance-fixtures.ts"];
    const child = spawn(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        ROTATE_FOR_EVER,
        ...modules.map((file) => import.meta.resolve(file)),
        path,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    onTestFinished(() => void child.kill("SIGKILL"));
    const acknowledged = new Map<number, number>();
    let seen = 0;
    for await (const line of createInterface(child.stdout)) {
      const [chain, generation] = line.split(" ").map(Number);
      // The kill may cut the last line short.
      if (chain === undefined || generation === undefined || generation === 0) continue;
      acknowledged.set(chain, Math.max(generation, acknowledged.get(chain) ?? 0));
      seen += 1;
      if (seen === lines) child.kill("SIGKILL");
    }
    expect(seen).toBeGreaterThanOrEqual(lines);

    const store = openSqliteStore({ path });
    for (const [chain, generation] of acknowledged) {
      const row = await store.findSession(sessionId(`${chain}`));
      // One more may have been written whose acknowledgement was not printed any more.
      expect(row?.generation).toBeGreaterThanOrEqual(generation);
      expect(row?.generation).toBeLessThanOrEqual(generation + 1);
      expect(row?.secretHash).toEqual(bytes(`next hash ${chain} ${(row?.generation ?? 0) - 1}`, 32));
    }
    await store.close();
  },
);
