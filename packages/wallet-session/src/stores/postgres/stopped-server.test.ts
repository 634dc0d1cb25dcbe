import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { POSTGRES_CONNECTIONS } from "../../limits.ts";
import type { SessionRecord, SessionStore } from "../../store.ts";
import {
  challenge,
  create,
  NOTHING_PRUNED,
  newSession,
  START,
  signingKey,
  swapOf,
} from "../../testing/store-conformance-fixtures.ts";
import type { Connection } from "./driver.ts";
import { migrate } from "./migrate.ts";
import { canStartServer, type OwnServer, ownServer } from "./server.fixture.ts";
import { createPostgresStore } from "./store.ts";

/** For a busy machine. */
const PATIENTLY = { timeout: 30_000 };
/** Shorter than usual, since these tests wait for their end. */
const TIMES = { stepMs: 500, statementMs: 400, listenAgainMs: 20, listenPingMs: 5_000 };
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
    const schema = `s${schemas}`;
    const prepare = async (connection: Connection) => void (await migrate(connection, schema));
    const store = createPostgresStore({ url: server.url }, schema, prepare, TIMES);
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

  async function allReject(steps: Promise<unknown>[]): Promise<void> {
    const outcomes = await Promise.allSettled(steps);
    expect(outcomes.map(({ status }) => status)).toEqual(steps.map(() => "rejected"));
  }

  test("every step rejects in its time, connected or not, and all works again when the server goes on", async () => {
    const [connected, fresh] = [open(), open()];
    await vi.waitFor(() => connected.ping(), PATIENTLY);
    const session = await create(connected, "a");
    await Promise.all(Array.from({ length: POSTGRES_CONNECTIONS }, () => connected.ping()));
    // Those of the test before this one may be closing still.
    const before = await vi.waitFor(async () => {
      const open = await server.connections();
      expect(open).toHaveLength(POSTGRES_CONNECTIONS);
      return open;
    }, PATIENTLY);
    server.freeze();
    await allReject(allSteps(connected, session));
    await allReject([...allSteps(connected, session), ...allSteps(fresh, session)]);
    server.thaw();

    for (const store of [connected, fresh]) await vi.waitFor(() => store.ping(), PATIENTLY);
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

  test("a watcher is woken again after the server was killed, and once for what it may have missed", async () => {
    const store = open();
    let woken = 0;
    const stop = store.watchRevocations(() => {
      woken += 1;
    });
    await vi.waitFor(() => expect(woken).toBe(1), PATIENTLY);
    await server.kill();
    await server.start();
    await vi.waitFor(() => expect(woken).toBe(2), PATIENTLY);
    const { id } = await vi.waitFor(() => create(store, "watched"), PATIENTLY);
    await store.revokeSession(id, REVOCATION);
    await vi.waitFor(() => expect(woken).toBe(3), PATIENTLY);
    stop();
  });
});
