// Any schedule of commands, by either side, at any times: what holds for the money at every instant.
import fc from "fast-check";
import { expect, test } from "vitest";
import { totalsOf } from "./ledger.fixture.ts";
import { balancesOf, type LedgerEntry, remainingOf } from "./ledger.ts";
import { AMOUNT_MAX_STROOPS, DURATION_MAX_SECONDS, DURATION_MIN_SECONDS } from "./limits.ts";
import { accruedAt, createStream, ROLES, type Stream, type StreamEvent } from "./stream.ts";
import { STREAM_COMMANDS, transition } from "./transitions.ts";

const RUNS = { numRuns: 500 };
const START = 1_790_000_000_123;

/** From a second to far beyond any duration; about one in five sets the clock back. */
const step = fc.record({
  role: fc.constantFrom(...ROLES),
  command: fc.constantFrom(...STREAM_COMMANDS),
  afterMs: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 90_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: DURATION_MAX_SECONDS * 1_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: -200_000, max: -1 }) },
  ),
});

const schedule = fc.record({
  deposit: fc.oneof(fc.bigInt({ min: 1n, max: 1_000n }), fc.bigInt({ min: 1n, max: AMOUNT_MAX_STROOPS })),
  durationSeconds: fc.oneof(
    fc.integer({ min: DURATION_MIN_SECONDS, max: 600 }),
    fc.integer({ min: DURATION_MIN_SECONDS, max: DURATION_MAX_SECONDS }),
  ),
  steps: fc.array(step, { maxLength: 40 }),
});

interface Instant {
  readonly now: number;
  readonly stream: Stream;
  readonly ledger: readonly LedgerEntry[];
}

function entriesOf(events: readonly StreamEvent[]): LedgerEntry[] {
  return events.flatMap(({ entry }) => (entry === null ? [] : [entry]));
}

/** Plays a schedule; every command begins where the clock stands then, also when that is earlier than before. */
function play({
  deposit,
  durationSeconds,
  steps,
}: typeof schedule extends fc.Arbitrary<infer T> ? T : never) {
  const created = createStream(
    { id: "s", sender: "a", recipient: "b", title: null, deposit, durationSeconds },
    START,
  );
  let instant: Instant = { now: START, stream: created.stream, ledger: entriesOf(created.events) };
  const instants = [instant];
  for (const { role, command, afterMs } of steps) {
    const now = instant.now + afterMs;
    const result = transition(instant.stream, role, command, now);
    const { stream, ledger } = instant;
    instant =
      result.outcome === "changed"
        ? { now, stream: result.stream, ledger: [...ledger, ...entriesOf(result.events)] }
        : { now, stream, ledger };
    instants.push(instant);
  }
  return instants;
}

test("settled + refunded + remaining = deposited, and the ledger says the same, at every instant", () => {
  fc.assert(
    fc.property(schedule, (plan) => {
      for (const { stream, ledger } of play(plan)) {
        const remaining = remainingOf(stream);
        expect(stream.settled + stream.refunded + remaining).toBe(plan.deposit);
        expect(stream).toMatchObject(totalsOf(ledger));
        const { sender, escrow, claim, recipient } = balancesOf(ledger);
        expect(sender + escrow + claim + recipient).toBe(0n);
        expect({ sender, escrow, claim, recipient }).toEqual({
          sender: stream.refunded - plan.deposit,
          escrow: remaining,
          claim: stream.settled - stream.withdrawn,
          recipient: stream.withdrawn,
        });
        for (const amount of [escrow, claim, recipient]) expect(amount).toBeGreaterThanOrEqual(0n);
        for (const { amount } of ledger) expect(amount).toBeGreaterThan(0n);
      }
    }),
    RUNS,
  );
});

test("what is earned never falls below what it was at the last change, and never passes the deposit, on any clock", () => {
  fc.assert(
    fc.property(schedule, fc.integer({ min: -DURATION_MAX_SECONDS * 1_000, max: 0 }), (plan, setBackMs) => {
      let earnedAtChange = 0n;
      let last: Stream | null = null;
      for (const { stream, now } of play(plan)) {
        const earned = accruedAt(stream, now);
        expect(earned).toBeGreaterThanOrEqual(earnedAtChange);
        expect(accruedAt(stream, now + setBackMs)).toBeGreaterThanOrEqual(stream.settled);
        expect(accruedAt(stream, now + setBackMs)).toBeLessThanOrEqual(earned);
        expect(earned).toBeLessThanOrEqual(plan.deposit);
        if (stream !== last) earnedAtChange = earned;
        last = stream;
      }
    }),
    RUNS,
  );
});

test("with a clock that never goes back, what is earned never falls at all", () => {
  fc.assert(
    fc.property(schedule, (plan) => {
      const forward = { ...plan, steps: plan.steps.map((s) => ({ ...s, afterMs: Math.abs(s.afterMs) })) };
      const earned = play(forward).map(({ stream, now }) => accruedAt(stream, now));
      earned.reduce((before, now) => {
        expect(now).toBeGreaterThanOrEqual(before);
        return now;
      });
    }),
    RUNS,
  );
});

test("what has ended never moves again, but for what the recipient still takes", () => {
  fc.assert(
    fc.property(schedule, (plan) => {
      const instants = play(plan);
      const ended = instants.findIndex(({ stream }) => stream.endedAt !== null);
      if (ended === -1) return;
      const { withdrawn: _, ...before } = instants[ended]?.stream ?? {};
      for (const { stream } of instants.slice(ended)) expect(stream).toMatchObject(before);
    }),
    RUNS,
  );
});

test("in the end all of the deposit has been paid out or given back", () => {
  fc.assert(
    fc.property(schedule, fc.boolean(), (plan, cancels) => {
      const end = DURATION_MAX_SECONDS * 1_000;
      const closing = cancels
        ? [{ role: "sender", command: "cancel", afterMs: 1_000 } as const]
        : [
            { role: "sender", command: "start", afterMs: 0 } as const,
            { role: "sender", command: "settle", afterMs: end * 50 } as const,
          ];
      const steps = [
        ...plan.steps,
        ...closing,
        { role: "recipient", command: "withdraw", afterMs: 0 } as const,
      ];
      const stream = play({ ...plan, steps }).at(-1)?.stream;
      expect(stream?.endedAt).not.toBeNull();
      expect((stream?.withdrawn ?? 0n) + (stream?.refunded ?? 0n)).toBe(plan.deposit);
    }),
    RUNS,
  );
});
