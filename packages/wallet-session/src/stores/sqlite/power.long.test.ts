import { expect, test } from "vitest";
import { buildDisk } from "../../../test/faults/disk.ts";
import { cutPower } from "../../../test/faults/power-cuts.ts";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";

const newPath = temporaryDirectory();

test.each([
  ["50 power cuts in ten lives of one file", { lives: 10, questions: 1_500 }],
  [
    "20 power cuts after a full disk and failed writes and syncs",
    { lives: 4, questions: 800, faults: ["full disk", "no write succeeds", "no sync succeeds"] as const },
  ],
])("%s lose nothing that was acknowledged", async (_, options) => {
  const library = await buildDisk(newPath("disk"));
  const directory = newPath("lives");
  const { cuts, lost, alarms } = await cutPower({
    ...options,
    library,
    directory,
    seed: "long",
    cutsOfEach: 5,
  });
  expect({ cuts, lost, alarms }).toEqual({ cuts: options.lives * 5, lost: [], alarms: 0 });
});
