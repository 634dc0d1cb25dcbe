import { join } from "node:path";
import { expect, test } from "vitest";
import { type } from "./cli.fixture.ts";

const ADAPTER = join(import.meta.dirname, "../../../refresh-conformance/src/small-server.fixture.ts");

test("passes on what the suite says and ends with: 0, 1 where a claim does not hold, 2 where the line makes no sense", async () => {
  const line = (fault: string) =>
    `conform --url http://small.example/${fault} --adapter ${ADAPTER} --only expired`;
  const sound = await type(line(""));
  expect([sound.code, sound.notes.join("\n")]).toEqual([0, "expired: holds"]);
  expect(sound.out.join("\n")).toContain("All that is claimed holds: 1 hold, 0 fail");
  expect(await type(line("expired"))).toMatchObject({
    code: 1,
    out: expect.arrayContaining([expect.stringMatching(/^expired +FAILS/)]),
  });
  expect(await type("conform --adapter nowhere.ts")).toMatchObject({ code: 2, out: [] });
});
