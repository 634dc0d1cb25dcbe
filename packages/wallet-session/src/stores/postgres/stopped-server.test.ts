import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../../clock.ts";
import { startEngine } from "../../engine/engine.fixture.ts";
import { everyInterval } from "../../engine/timers.ts";
import type { SessionEvent } from "../../events.ts";
import { POSTGRES_CONNECTIONS } from "../../limits.ts";
import type { SessionRecord, SessionStore } from "../../store.ts";
import {
  afterSwap,
  challenge,
  create,
  NOTHING_PRUNED,
  newSession,
  START,
  signingKey,
  swapOf,
} from "../../testing/store-conformance-fixtures.ts";
import { openPostgresStore } from "../postgres.ts";
import { canStartServer, type OwnServer, ownServer } from "./server.fixture.ts";

/** What a stopped server may cost a request, and how long after its return all must work again. */
const ANSWERED_WITHIN_MS = 2_000;
const BACK_WITHIN_MS = 5_000;
const REVOCATION = { reason: "admin", revokedAt: START } as const;

describe.skipIf(!canStartServer)("a server that stops", () => {
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

  function allSteps(store: SessionStore, session: SessionRecord): Promise<unknown>[] {
    return [
      store.createSession(newSession("new"), challenge("new")),
      store.rotate(swapOf(session, "in flight")),
      store.findSession(session.id),
      store.listSessions(session.actorId, START, 1),
      store.endedByReuse(session.actorId, START, 1),
      store.revokeSession(session.id, REVOCATION),
      store.revokeActor(session.actorId, REVOCATION, null),
      store.revokeBatch(REVOCATION, 1),
      store.revocationsAfter(0, 1),
      store.countSessions(START),
      store.claimEvents({ owner: "a", now: START, until: START + 1, limit: 1 }),
      store.settleEvents({ owner: "a", position: 1, release: true }),
      store.signingKeys(),
      store.addSigningKey(signingKey("a"), null),
      store.prune(NOTHING_PRUNED),
      store.ping(),
    ];
  }

  /** How long each took to reject, in milliseconds. */
  async function rejections(steps: Promise<unknown>[]): Promise<number[]> {
    const begun = performance.now();
    return Promise.all(
      steps.map((step) =>
        step.then(
          () => Promise.reject(new Error("answered by a stopped server")),
          () => performance.now() - begun,
        ),
      ),
    );
  }

  test("every step rejects within 2 s in all, connected or not, and all works again when it goes on", async () => {
    const [connected, fresh] = [open(), open()];
    const session = await create(connected, "a");
    await Promise.all(Array.from({ length: POSTGRES_CONNECTIONS }, () => connected.ping()));
    // Those of the test before this one may be closing still.
    const before = await vi.waitFor(async () => {
      const open = await server.connections();
      expect(open).toHaveLength(POSTGRES_CONNECTIONS);
      return open;
    }, 10_000);
    server.freeze();
    const first = await rejections(allSteps(connected, session));
    const second = await rejections([...allSteps(connected, session), ...allSteps(fresh, session)]);
    server.thaw();
    for (const took of [...first, ...second]) expect(took).toBeLessThan(ANSWERED_WITHIN_MS);

    for (const store of [connected, fresh]) await vi.waitFor(() => store.ping(), { timeout: BACK_WITHIN_MS });
    await server.isRidOf(before);
    // Each step that was under way is done or not, and none in part: what is revoked is logged and told of, each once.
    const row = await connected.findSession(session.id);
    const { entries } = await connected.revocationsAfter(0, 10);
    const revoked = [row, await connected.findSession(newSession("new").id)].filter(
      (one) => one !== null && one.revokedAt !== null,
    );
    const events = await connected.claimEvents({ owner: "b", now: START + 2, until: START + 3, limit: 10 });
    expect([entries.length, events?.length]).toEqual([revoked.length, revoked.length]);
    const alive = await create(connected, "after");
    expect((await connected.rotate(swapOf(alive, "after"))).outcome).toBe("rotated");
  });

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
          const row = await vi.waitFor(() => store.findSession(session.id), { timeout: 30_000 });
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
      await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(before + 20), { timeout: BACK_WITHIN_MS });
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
    await vi.waitFor(() => engine.revokeByRefreshToken(lost.refreshToken, "ended"), {
      timeout: BACK_WITHIN_MS,
    });
    await server.restore();
    await vi.waitFor(() => expect(events).toContainEqual({ type: "revocations_reasserted", count: 1 }), {
      timeout: BACK_WITHIN_MS,
    });
    expect((await store.findSession(lost.session.id))?.revokedReason).toBe("ended");
    expect((await store.findSession(alive.session.id))?.revokedAt).toBeNull();
  });

  test("whoever watches is woken again after it was killed, and once for what it may have missed", async () => {
    const store = open();
    let woken = 0;
    const stop = store.watchRevocations(() => {
      woken += 1;
    });
    await vi.waitFor(() => expect(woken).toBe(1), 10_000);
    await server.kill();
    await server.start();
    await vi.waitFor(() => expect(woken).toBe(2), { timeout: BACK_WITHIN_MS });
    const { id } = await create(store, "watched");
    await store.revokeSession(id, REVOCATION);
    await vi.waitFor(() => expect(woken).toBe(3), 10_000);
    stop();
  });
});
