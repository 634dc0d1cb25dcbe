import { describe, expect, onTestFinished, test } from "vitest";
import { DATABASES } from "../sql/databases.fixture.ts";
import { codeOf, heldSender, SENDER } from "../streams/streams.fixture.ts";
import { operationsOn } from "./operations.fixture.ts";

describe.each(DATABASES)("%s", (kind) => {
  const { openOperations } = operationsOn(kind);

  /** An operation of five streams whose worker is at its first step, and holds still there. */
  async function atFirstStep() {
    const held = heldSender();
    const operations = await openOperations(held.sender);
    const granted = await operations.signIn();
    const ids = await operations.makeMany(5);
    const { id } = await operations.accept(ids, granted);
    const goOn = held.hold();
    const worker = operations.work();
    onTestFinished(goOn);
    await operations.until(id, () => held.calls.length === 1);
    return { ...operations, held, granted, id, goOn, worker };
  }

  /** Uses the session's first refresh token a second time, as a thief would. */
  async function reuse({ engine }: Awaited<ReturnType<typeof openOperations>>, token: string): Promise<void> {
    await engine.refresh(token);
    await expect(engine.refresh(token)).rejects.toMatchObject({ code: "refresh_token_reused" });
  }

  test("a session that is ended stops it before its next step", async () => {
    const { engine, granted, id, goOn, until, held, clock, settledBy } = await atFirstStep();
    clock.advance(1_000);
    await engine.revokeSession(SENDER, granted.session.id);
    goOn();
    const paused = await until(id, ({ status }) => status === "paused");
    expect(paused).toMatchObject({
      pause_reason: "session_revoked",
      paused_at: BigInt(clock.now()),
      done: 1n,
      claim: null,
    });
    expect(held.calls).toHaveLength(1);
    expect((await settledBy(id)).map(({ times }) => times)).toEqual([1, 0, 0, 0, 0]);
  });

  test("a reuse alarm stops it too, and says so", async () => {
    const operations = await atFirstStep();
    const { granted, id, goOn, until, held } = operations;
    await reuse(operations, granted.refreshToken);
    goOn();
    expect(await until(id, ({ status }) => status === "paused")).toMatchObject({
      pause_reason: "reuse_detected",
      done: 1n,
    });
    expect(held.calls).toHaveLength(1);
  });

  test("a session ended before the first step lets none be taken", async () => {
    const held = heldSender();
    const { signIn, makeMany, accept, engine, work, until } = await openOperations(held.sender);
    const granted = await signIn();
    const { id } = await accept(await makeMany(2), granted);
    await engine.revokeSession(SENDER, granted.session.id);
    work();
    expect(await until(id, ({ status }) => status === "paused")).toMatchObject({ done: 0n });
    expect(held.calls).toEqual([]);
  });

  test("the end of another session of the actor changes nothing", async () => {
    const { engine, signIn, id, goOn, untilFinal } = await atFirstStep();
    const other = await signIn();
    await engine.revokeSession(SENDER, other.session.id);
    goOn();
    expect(await untilFinal(id)).toMatchObject({ status: "completed", done: 5n });
  });

  test.each([
    ["the access token", 21_000],
    ["the idle limit", 61_000],
    ["the absolute limit", 121_000],
  ])("goes on when %s runs out", async (_, ms) => {
    const { clock, id, goOn, untilFinal } = await atFirstStep();
    clock.advance(ms);
    goOn();
    expect(await untilFinal(id)).toMatchObject({ status: "completed", done: 5n, pause_reason: null });
  });

  test("goes on when its session has been pruned", async () => {
    const { clock, id, goOn, untilFinal, store, engine, granted } = await atFirstStep();
    clock.advance(400 * 24 * 60 * 60 * 1_000);
    const now = clock.now();
    await store.prune({ now, sessionsBefore: now, revocationsBefore: now, eventsBefore: now, limit: 10 });
    expect(await engine.getSessionStatus(granted.session.id)).toEqual({ status: "unknown" });
    goOn();
    expect(await untilFinal(id)).toMatchObject({ status: "completed", done: 5n });
  });

  test("only a newer signature resumes it, and what was done stays done", async () => {
    const operations = await atFirstStep();
    const { signIn, resume, granted, id, goOn, until, untilFinal, clock, held, settledBy } = operations;
    const before = await signIn();
    clock.advance(1_000);
    expect(await codeOf(resume(id, before))).toBe("operation_state");
    await reuse(operations, granted.refreshToken);
    goOn();
    await until(id, ({ status }) => status === "paused");
    clock.advance(1_000);
    expect(await codeOf(resume(id, before))).toBe("signature_required");
    expect(await codeOf(resume(id, granted))).toBe("signature_required");
    const stranger = await signIn("G".padEnd(56, "A"));
    expect(await codeOf(resume(id, stranger))).toBe("not_found");

    const after = await signIn();
    expect(await resume(id, after)).toMatchObject({
      status: "queued",
      session_id: after.session.id,
      pause_reason: null,
      paused_at: null,
      done: 1n,
    });
    operations.worker.wake();
    expect(await untilFinal(id)).toMatchObject({
      status: "completed",
      done: 5n,
      session_id: after.session.id,
    });
    expect(held.moved.size).toBe(5);
    expect((await settledBy(id)).map(({ times }) => times)).toEqual([1, 1, 1, 1, 1]);
  });

  test("the sign-in that replaces the session in its browser is a newer signature", async () => {
    const { engine, signIn, resume, granted, id, goOn, until, clock } = await atFirstStep();
    clock.advance(60_000 - 1);
    const replacing = await signIn();
    clock.advance(5);
    await engine.revokeByRefreshToken(granted.refreshToken, "replaced");
    goOn();
    expect(await until(id, ({ status }) => status === "paused")).toMatchObject({
      pause_reason: "session_revoked",
    });
    expect(await resume(id, replacing)).toMatchObject({ status: "queued" });
  });
});
