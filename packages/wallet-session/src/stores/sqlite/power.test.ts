import { beforeAll, expect, test } from "vitest";
import { buildDisk } from "../../../test/faults/disk.ts";
import { cutPower, type PowerCuts, REFUSALS_OF_FAULT } from "../../../test/faults/power-cuts.ts";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";

const newPath = temporaryDirectory();
let library = "";
beforeAll(async () => {
  library = await buildDisk(newPath("disk"));
});

const cut = (options: Partial<PowerCuts> = {}) =>
  cutPower({
    library,
    directory: newPath("lives"),
    seed: "power",
    lives: 1,
    cutsOfEach: 5,
    questions: 200,
    ...options,
  });

test("5 power cuts under load lose nothing that was acknowledged, and leave the file whole", async () => {
  const { cuts, acknowledged, lost, refusals, alarms } = await cut();
  expect({ cuts, lost, refusals, alarms }).toEqual({ cuts: 5, lost: [], refusals: [], alarms: 0 });
  expect(acknowledged).toBeGreaterThan(0);
});

test.each(["OFF", "NORMAL"] as const)(
  "with synchronous=%s a power cut loses answers",
  async (synchronous) => {
    // From a disk that keeps nothing else than what was synced.
    expect((await cut({ synchronous, keeps: [0], cutsOfEach: 3 })).lost).not.toEqual([]);
  },
);

test("a full disk, and writes and syncs that fail, are store_unavailable, lose nothing, and pass without a restart", async () => {
  const faults = ["full disk", "no write succeeds", "no sync succeeds"] as const;
  const { cuts, lost, refusals, alarms } = await cut({ faults, cutsOfEach: 3, questions: 300 });
  expect({ cuts, lost, alarms }).toEqual({ cuts: 3, lost: [], alarms: 0 });
  expect(new Set(refusals)).toEqual(new Set(["store_unavailable"]));
  // Each fault was met.
  expect(refusals.length).toBeGreaterThan(2 * REFUSALS_OF_FAULT);
});
