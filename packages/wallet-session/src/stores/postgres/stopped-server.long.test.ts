import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../../clock.ts";
import { startEngine } from "../../engine/engine.fixture.ts";
import { everyInterval } from "../../engine/timers.ts";
import type { SessionEvent } from "../../events.ts";
import type { SessionRecord, SessionStore } from "../../store.ts";
import { afterSwap, create, swapOf } from "../../testing/store-conformance-fixtures.ts";
import { openPostgresStore } from "../postgres.ts";
import { canStartServer, type OwnServer, ownServer } from "./server.fixture.ts";

/** For a busy machine. */
const PATIENTLY = { timeout: 30_000 };

describe.skipIf(!canStartServer)("a server that is killed, and one that is set back", () => {
  let server: OwnServer;
  let schemas = 0;
  beforeAll(async () => {
    server = await ownServer();
  });
  afterAll(() => server.remove());

  function open(): SessionStore {
    schemas += 1;
    const store = openPostgresStore({ url: server.url, schema: `s${schemas}` });
    onTestFinished(() => store.close());
    return store;
  }

  test("killed and started again under load: nothing acknowledged is lost, and nobody has to restart", async () => {
    const store = open();
    const sessions = await Promise.all(
      Array.from({ length: 8 }, (_, index) => create(store, `killed ${index}`)),
    );
    let over = false;
    let acknowledged = 0;
    const chain = async (created: SessionRecord): Promise<SessionRecord> => {
      let session = created;
      while (!over) {
        const swap = swapOf(session, `${session.id} ${session.generation} ${acknowledged}`);
        const outcome = await store.rotate(swap).catch(() => null);
        if (outcome === null) {
          // Done or not: the row says.
          const row = await vi.waitFor(() => store.findSession(session.id), PATIENTLY);
          if (row?.generation === session.generation + 1) session = afterSwap(session, swap);
          expect(Buffer.from(row?.secretHash ?? [])).toEqual(Buffer.from(session.secretHash));
          continue;
        }
        expect(outcome.outcome).toBe("rotated");
        session = afterSwap(session, swap);
        acknowledged += 1;
      }
      return session;
    };
    const chains = Promise.all(sessions.map(chain));
    const going = async () => {
      const before = acknowledged;
      await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(before + 20), PATIENTLY);
    };
    await going();
    await server.kill();
    await server.start();
    await going();
    over = true;
    for (const session of await chains) {
      const row = await store.findSession(session.id);
      expect(Buffer.from(row?.secretHash ?? [])).toEqual(Buffer.from(session.secretHash));
    }
  });

  test("restored from a backup under a running node: what it had acknowledged is revoked again", async () => {
    const store = open();
    const events: SessionEvent[] = [];
    const { engine, signIn } = await startEngine(store, {
      clock: systemClock,
      every: everyInterval,
      onEvent: (event) => events.push(event),
    });
    onTestFinished(() => engine.close());
    const [lost, alive] = [await signIn(), await signIn()];
    await server.backUp();
    await vi.waitFor(() => engine.revokeByRefreshToken(lost.refreshToken, "ended"), PATIENTLY);
    await server.restore();
    await vi.waitFor(
      () => expect(events).toContainEqual({ type: "revocations_reasserted", count: 1 }),
      PATIENTLY,
    );
    expect((await store.findSession(lost.session.id))?.revokedReason).toBe("ended");
    expect((await store.findSession(alive.session.id))?.revokedAt).toBeNull();
  });
});
