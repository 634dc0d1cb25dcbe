import { expect, test, vi } from "vitest";
import { currentRequest, inRequest } from "../request-context.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { createManualClock } from "../testing/manual-clock.ts";
import { codeOf, createManualTimers, startEngine } from "./engine.fixture.ts";
import { type SecurityEvent, type SecurityEventHandler, SecurityEventRefused } from "./security-event.ts";

const MINUTE = 60_000;

/** Some processes on one store and one clock, each with timers of its own, and a receiver for all of them. */
function startProcesses(store = createMemoryStore()) {
  const clock = createManualClock();
  const taken: SecurityEvent[] = [];
  /** What the receiver does before it takes an event. */
  const receiver: { handle: SecurityEventHandler } = { handle: async () => {} };

  async function startProcess() {
    const timers = createManualTimers(clock);
    let dead = false;
    const mortal = new Proxy(store, {
      get(target, name: keyof typeof store) {
        // It outlives its processes.
        if (name === "close") return async () => {};
        const step = target[name].bind(target) as (...args: unknown[]) => unknown;
        return (...args: unknown[]) => (dead ? Promise.reject(new Error("dead")) : step(...args));
      },
    });
    const running = await startEngine(mortal, {
      clock,
      every: timers.every,
      onSecurityEvent: async (event, signal) => {
        await receiver.handle(event, signal);
        taken.push(event);
      },
    });
    const { engine, signIn } = running;
    /** Ends a new session. */
    async function revokeOne(): Promise<string> {
      const { session } = await signIn();
      await engine.revokeSession(session.actorId, session.id);
      return session.id;
    }
    const reported = (outcome: string) =>
      running.events.filter(
        (event) =>
          event.type === `security_event_${outcome}` || ("outcome" in event && event.outcome === outcome),
      );
    const kill = () => {
      dead = true;
    };
    return { ...running, timers, revokeOne, reported, kill };
  }
  return { clock, store, taken, receiver, startProcess, ids: () => taken.map(({ sessionId }) => sessionId) };
}

const settled = () => new Promise(setImmediate);

test("each end of a session is delivered once, at once, with its reason; then the outbox is empty", async () => {
  const { startProcess, taken, clock, store } = startProcesses();
  const { engine, signIn, refresh, reported } = await startProcess();
  const [ended, reused] = [await signIn(), await signIn()];
  await refresh(reused.refreshToken);
  expect(await codeOf(refresh(reused.refreshToken))).toBe("refresh_token_reused");
  await engine.revokeSession(ended.session.actorId, ended.session.id);
  await settled();
  const { actorId } = ended.session;
  expect(taken).toEqual([
    {
      id: `revocation_${reused.session.id}`,
      type: "session.reuse_detected",
      sessionId: reused.session.id,
      actorId,
      reason: "reuse",
      occurredAt: clock.now(),
    },
    {
      id: `revocation_${ended.session.id}`,
      type: "session.revoked",
      sessionId: ended.session.id,
      actorId,
      reason: "ended",
      occurredAt: clock.now(),
    },
  ]);
  expect(reported("delivered").length).toBe(2);
  await engine.close();
  expect(await claimAll(store)).toEqual([]);
});

/** What nobody has settled, as a process of its own would get it. */
async function claimAll(store: ReturnType<typeof createMemoryStore>, now = Number.MAX_SAFE_INTEGER - 1) {
  return store.claimEvents({ owner: "test", now, until: now, limit: 1_000 });
}

test("a delivery is no part of the request that has ended the session", async () => {
  const { startProcess, receiver, taken } = startProcesses();
  const { revokeOne } = await startProcess();
  const seen: unknown[] = [];
  receiver.handle = async () => void seen.push(currentRequest());
  await inRequest({ requestId: "of-the-request", actorId: null, sessionId: null, code: null }, revokeOne);
  await settled();
  expect([taken.length, seen]).toEqual([1, [undefined]]);
});

test("a receiver that hangs holds up no request, and is asked again when its time is over", async () => {
  const { startProcess, receiver, ids } = startProcesses();
  const { revokeOne, timers, reported } = await startProcess();
  const signals: AbortSignal[] = [];
  receiver.handle = (_, signal) => {
    signals.push(signal);
    return new Promise(() => {});
  };
  const id = await revokeOne();
  await settled();
  await timers.pass(9_000);
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  await timers.pass(1_000);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  expect(reported("unavailable")).toMatchObject([{ sessionId: id, cause: new Error("no answer in time") }]);
  receiver.handle = async () => {};
  await timers.pass(4_000);
  expect(ids()).toEqual([id]);
});

test("a receiver that is down is tried ever more seldom, by one event at a time; nothing is lost", async () => {
  const { startProcess, receiver, ids } = startProcesses();
  const { revokeOne, timers, reported, engine } = await startProcess();
  receiver.handle = async () => {
    throw new Error("connection refused");
  };
  const revoked = [];
  for (let n = 0; n < 20; n += 1) revoked.push(await revokeOne());
  await settled();
  const first = reported("unavailable").length;
  await timers.pass(60 * MINUTE);
  const tries = reported("unavailable").length - first;
  // Five minutes apart in the end, and never longer.
  expect(tries).toBeGreaterThan(12);
  expect(tries).toBeLessThan(40);
  expect(engine.getStats().waitingEvents).toMatchObject({ count: 20 });
  expect(reported("given_up")).toEqual([]);
  receiver.handle = async () => {};
  await timers.pass(11 * MINUTE);
  expect(ids().sort()).toEqual(revoked.sort());
  expect(engine.getStats().waitingEvents).toEqual({ count: 0, ageMs: 0 });
});

test("an event that is refused stands in nobody's way, and is given up after ten tries, not without a word", async () => {
  const { startProcess, receiver, ids, store } = startProcesses();
  const { revokeOne, timers, reported, engine } = await startProcess();
  let refused = "";
  receiver.handle = async ({ sessionId }) => {
    refused ||= sessionId;
    if (sessionId === refused) throw new SecurityEventRefused("not valid");
  };
  const revoked = [];
  for (let n = 0; n < 5; n += 1) revoked.push(await revokeOne());
  await timers.pass(2_000);
  expect(ids()).toEqual(revoked.slice(1));
  expect(engine.getStats().waitingEvents?.count).toBe(1);
  await timers.pass(30 * MINUTE);
  expect([reported("refused").length, reported("given_up").length]).toEqual([9, 1]);
  expect(reported("given_up")).toMatchObject([
    { sessionId: refused, cause: new SecurityEventRefused("not valid") },
  ]);
  expect(await claimAll(store)).toEqual([]);
});

test("an event at which a receiver always fails does not hold up the others for ever", async () => {
  const { startProcess, receiver, ids, store } = startProcesses();
  const { revokeOne, timers, reported } = await startProcess();
  let poison = "";
  receiver.handle = async ({ sessionId }) => {
    poison ||= sessionId;
    if (sessionId === poison) throw new Error("500");
  };
  await revokeOne();
  const others = [];
  for (let n = 0; n < 300; n += 1) {
    others.push(await revokeOne());
    await timers.pass(10_000);
  }
  expect(ids()).toEqual(others);
  expect(reported("given_up")).toMatchObject([{ sessionId: poison }]);
  expect(await claimAll(store)).toEqual([]);
});

test("one process delivers; when it dies another one takes over once the claim is over, and only then", async () => {
  const { startProcess, taken, ids } = startProcesses();
  const [first, second] = [await startProcess(), await startProcess()];
  const one = await first.revokeOne();
  await settled();
  const other = await second.revokeOne();
  await settled();
  // The second has found the claim taken. The first finds the event by itself.
  await second.timers.pass(2_000);
  expect(second.engine.getStats().waitingEvents).toBeNull();
  await first.timers.pass(2_000);
  expect(ids()).toEqual([one, other]);
  first.kill();
  const late = await second.revokeOne();
  await second.timers.pass(28_000);
  expect(taken.length).toBe(2);
  await second.timers.pass(4_000);
  expect(ids()).toEqual([one, other, late]);
});

test("one that stops lets a delivery end, and gives the claim back: the next one need not wait", async () => {
  const { startProcess, receiver, ids } = startProcesses();
  const [first, second] = [await startProcess(), await startProcess()];
  let answer = () => {};
  receiver.handle = () => new Promise((resolve) => (answer = resolve));
  const one = await first.revokeOne();
  await settled();
  const closed = first.engine.close();
  answer();
  receiver.handle = async () => {};
  await closed;
  const other = await second.revokeOne();
  await second.timers.pass(2_000);
  expect(ids()).toEqual([one, other]);
});

test("what was under way when the process had to end comes again", async () => {
  const { startProcess, receiver, ids } = startProcesses();
  const first = await startProcess();
  receiver.handle = () => new Promise(() => {});
  const one = await first.revokeOne();
  await settled();
  const closed = first.engine.close();
  await first.timers.pass(2_000);
  await closed;
  expect([ids(), first.reported("unavailable")]).toEqual([[], []]);
  receiver.handle = async () => {};
  const second = await startProcess();
  await second.timers.pass(2_000);
  expect(ids()).toEqual([one]);
});

test("a delivery that outlasts the claim is another process's too, and deletes nothing of its", async () => {
  const { startProcess, receiver, ids, clock, store } = startProcesses();
  const [first, second] = [await startProcess(), await startProcess()];
  let answer = () => {};
  receiver.handle = () => new Promise((resolve) => (answer = resolve));
  const one = await first.revokeOne();
  await settled();
  receiver.handle = async () => {
    throw new Error("down");
  };
  clock.advance(31_000);
  await second.timers.pass(2_000);
  answer();
  await settled();
  expect(ids()).toEqual([one]);
  expect(first.engine.getStats().waitingEvents).toBeNull();
  receiver.handle = async () => {};
  await second.timers.pass(4_000);
  // At least once: this is what "at least" means.
  expect(ids()).toEqual([one, one]);
  expect(await claimAll(store)).toEqual([]);
});

test("a store that fails is asked again; what was delivered meanwhile is not delivered twice", async () => {
  const { startProcess, ids, store } = startProcesses();
  const settle = vi.spyOn(store, "settleEvents").mockRejectedValueOnce(new Error("gone"));
  const { revokeOne, timers } = await startProcess();
  const one = await revokeOne();
  await timers.pass(4_000);
  expect([ids(), settle.mock.calls.length]).toEqual([[one], 2]);
});

test("what was never delivered and is too old is reported when it is deleted", async () => {
  const { startProcess, receiver } = startProcesses();
  const { revokeOne, timers, events, clock } = await startProcess();
  receiver.handle = async () => {
    throw new Error("down");
  };
  await revokeOne();
  clock.advance(7 * 24 * 60 * MINUTE);
  await timers.pass(11 * MINUTE);
  expect(events.filter(({ type }) => type === "security_events_expired")).toEqual([
    { type: "security_events_expired", events: 1 },
  ]);
});

test("a clock that is set back makes no event wait longer", async () => {
  const { startProcess, receiver, ids, clock } = startProcesses();
  const { revokeOne, timers } = await startProcess();
  receiver.handle = async () => {
    throw new Error("down");
  };
  const one = await revokeOne();
  await settled();
  receiver.handle = async () => {};
  clock.advance(-60 * MINUTE);
  // Its timers stand on another clock than that.
  for (let n = 0; n < 2; n += 1) await timers.pass(60 * MINUTE + 4_000);
  expect(ids()).toEqual([one]);
});
