import { expect, onTestFinished, test, vi } from "vitest";
import { stopOnSignal } from "./stop.ts";

test.each([
  ["SIGTERM", 143],
  ["SIGINT", 130],
] as const)(
  "%s ends event streams at once, and the process after 10 s where it still stands",
  async (signal, code) => {
    vi.useFakeTimers();
    const { exit } = process;
    const before = { SIGTERM: process.listeners("SIGTERM"), SIGINT: process.listeners("SIGINT") };
    onTestFinished(() => {
      vi.useRealTimers();
      process.exit = exit;
      for (const name of ["SIGTERM", "SIGINT"] as const) {
        for (const listener of process.listeners(name)) {
          if (!before[name].includes(listener)) process.off(name, listener);
        }
      }
    });
    const exits: unknown[] = [];
    const work = Promise.withResolvers<void>();
    const done: string[] = [];
    const stop = {
      endWork() {
        done.push("work ends");
        return work.promise;
      },
      async letGo() {
        done.push("let go");
      },
    };
    stopOnSignal(stop, (given) => exits.push(given));
    process.emit(signal);
    expect(done).toEqual(["work ends"]);
    vi.advanceTimersByTime(9_999);
    expect(exits).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(exits).toEqual([code]);
    // The framework's own exit waits for the work, and for the store to be let go of.
    process.exit(1);
    await Promise.resolve();
    expect([exits, done]).toEqual([[code], ["work ends"]]);
    work.resolve();
    await vi.waitFor(() => expect(exits).toEqual([code, 1]), 10_000);
    expect(done).toEqual(["work ends", "let go"]);
  },
);
