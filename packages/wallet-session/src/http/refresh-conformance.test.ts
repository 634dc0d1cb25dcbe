// The suite that runs against any server's refresh endpoint, against the handlers in this process: days pass in no time. Over
// HTTP, with a server that is killed: test/long/refresh-conformance.test.ts.
import { expect, test } from "vitest";
import { runConformance, summaryOf } from "../../../refresh-conformance/src/index.ts";
import { REFRESH_KINDS, refreshAdapter } from "../../test/refresh-adapter.ts";
import { ISSUER } from "../engine/engine.fixture.ts";
import { REFRESH_IDLE_TTL_MS, REFRESH_LEEWAY_MS } from "../limits.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { createManualClock } from "../testing/manual-clock.ts";
import { startHttp } from "./http.fixture.ts";

test.each(REFRESH_KINDS)("all that is claimed of sessions by %s holds", async (kind) => {
  const [store, clock] = [createMemoryStore(), createManualClock()];
  const start = () => startHttp({ store, engineOptions: { clock } });
  let http = await start();
  const adapter = refreshAdapter(kind, {
    name: "in this process",
    publicUrl: ISSUER,
    cookieName: "ws",
    idleMs: REFRESH_IDLE_TTL_MS,
    leewayMs: REFRESH_LEEWAY_MS,
    send: (path, init) => http.handlers.fetch(new Request(new URL(path, ISSUER), init)),
    now: clock.now,
    wait: async (milliseconds) => clock.advance(milliseconds),
    // Whatever the process knew is gone; the store is not.
    restart: async () => {
      http = await start();
    },
    async breakStore() {
      http.store.failing = true;
      return async () => {
        http.store.failing = false;
      };
    },
    storedRows: () => store.countSessions(clock.now()),
  });
  const effort = { rounds: 3, interleavings: 80, refreshes: 50 };
  const results = await runConformance({ adapter, effort });
  const seen = results.map(({ scenario, status, finding }) => [scenario.name, status, finding?.observed]);
  expect(seen.filter(([, status]) => status === "fails" || status === "error")).toEqual([]);
  expect(summaryOf(results)).toMatch(kind === "body" ? /: 15 hold, 0 fail, 3 / : /: 18 hold, 0 fail, 0 /);
});
