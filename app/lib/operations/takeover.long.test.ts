// The same as in takeover.test.ts, of a size that takes minutes on a busy machine.
import { test } from "vitest";
import { takeoverOf } from "./takeover.fixture.ts";

test(
  "1,000 streams in one operation, its worker killed midway: another goes on, each is settled once, the sums are exact",
  takeoverOf(1_000),
  300_000,
);
