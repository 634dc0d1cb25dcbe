import { expect, onTestFinished, test, vi } from "vitest";
import { create, START, swapOf } from "../../testing/store-conformance-fixtures.ts";
import { openRedisStore } from "../redis.ts";
import { startOwnServer } from "./own-server.fixture.ts";

const SOON = { timeout: 5_000, interval: 10 };

test("wakes for the revocations of others, not for rotations; again after the server was away; not once it is stopped", async () => {
  const server = await startOwnServer("--appendonly", "yes");
  onTestFinished(() => server.end());
  const [store, other] = [0, 1].map(() => {
    const opened = openRedisStore({ url: server.url, onWarning: () => {} });
    onTestFinished(() => opened.close());
    return opened;
  });
  if (store === undefined || other === undefined) throw new Error("no stores");
  const wake = vi.fn();
  const stop = store.watchRevocations(wake);
  await vi.waitFor(() => expect(wake).toHaveBeenCalledTimes(1), SOON);

  const session = await create(other, "a");
  await other.rotate(swapOf(session, "1"));
  await other.revokeSession(session.id, { reason: "admin", revokedAt: START });
  await vi.waitFor(() => expect(wake).toHaveBeenCalledTimes(2), SOON);
  await other.revokeSession(session.id, { reason: "admin", revokedAt: START });
  await create(other, "b");
  await other.revokeBatch({ reason: "admin", revokedAt: START }, 10);
  await vi.waitFor(() => expect(wake).toHaveBeenCalledTimes(3), SOON);

  await server.kill();
  await server.start();
  await vi.waitFor(() => expect(wake).toHaveBeenCalledTimes(4), SOON);

  stop();
  const { id } = await vi.waitFor(() => create(other, "c"), SOON);
  await other.revokeSession(id, { reason: "admin", revokedAt: START });
  await vi.waitFor(async () => expect(await server.command("PUBSUB", "CHANNELS")).toEqual([]), SOON);
  expect(wake).toHaveBeenCalledTimes(4);
});

test("where there is no server it goes on trying, and a store that is closed ends it", async () => {
  const server = await startOwnServer();
  onTestFinished(() => server.end());
  await server.kill();
  const store = openRedisStore({ url: server.url, onWarning: () => {} });
  const wake = vi.fn();
  store.watchRevocations(wake);
  await server.start();
  await vi.waitFor(() => expect(wake).toHaveBeenCalledTimes(1), SOON);
  await store.close();
  await vi.waitFor(async () => expect(await server.command("PUBSUB", "CHANNELS")).toEqual([]), SOON);
  store.watchRevocations(wake)();
  expect(wake).toHaveBeenCalledTimes(1);
});
