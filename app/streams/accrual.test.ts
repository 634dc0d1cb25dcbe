import fc from "fast-check";
import { expect, test } from "vitest";
import { formatAmount } from "../lib/streams/money.ts";
import { amountsAt, type Stream } from "./stream-data.ts";

const AS_OF = Date.parse("2026-11-24T12:00:00.000Z");

function stream(given: Partial<Stream> = {}): Stream {
  return {
    id: "AAAAAAAAAAAAAAAAAAAAAA",
    status: "active",
    sender: "GA",
    recipient: "GB",
    role: "sender",
    title: null,
    asset: "XLM",
    deposited: "100.0000000",
    accrued: "25.0000000",
    settled: "10.0000000",
    withdrawn: "5.0000000",
    withdrawable: "20.0000000",
    refunded: "0.0000000",
    remaining: "90.0000000",
    duration_seconds: 3_600,
    elapsed_seconds: 900,
    as_of: new Date(AS_OF).toISOString(),
    created_at: "2026-11-24T11:00:00.000Z",
    started_at: "2026-11-24T11:45:00.000Z",
    ends_at: "2026-11-24T12:45:00.000Z",
    ended_at: null,
    version: 3,
    ...given,
  };
}

test("an active stream grows by whole seconds, and what can be withdrawn grows with it", () => {
  const at = (ms: number) => amountsAt(stream(), AS_OF + ms);
  expect(at(999)).toMatchObject({ elapsedSeconds: 900, accrued: 250_000_000n, withdrawable: 200_000_000n });
  expect(at(1_000)).toMatchObject({ elapsedSeconds: 901, accrued: 250_277_777n, withdrawable: 200_277_777n });
});

test("it never shows more than the deposit, nor less than the server has said", () => {
  expect(amountsAt(stream(), AS_OF + 10 * 3_600_000).accrued).toBe(1_000_000_000n);
  expect(amountsAt(stream(), AS_OF - 60_000).accrued).toBe(250_000_000n);
});

test.each(["draft", "paused", "completed", "cancelled"] as const)("a %s stream stands still", (status) => {
  expect(amountsAt(stream({ status }), AS_OF + 60_000).accrued).toBe(250_000_000n);
});

test("at every moment it is the server's rule to the stroop", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: 9_223_372_036_854_775_807n }),
      fc.integer({ min: 60, max: 315_360_000 }),
      fc.nat(400_000_000),
      (deposit, duration, seconds) => {
        const fresh = stream({
          deposited: formatAmount(deposit),
          accrued: "0.0000000",
          withdrawn: "0.0000000",
          duration_seconds: duration,
          elapsed_seconds: 0,
        });
        const { accrued } = amountsAt(fresh, AS_OF + seconds * 1_000);
        const active = BigInt(Math.min(seconds, duration));
        expect(accrued).toBe((deposit * active) / BigInt(duration));
      },
    ),
  );
});
