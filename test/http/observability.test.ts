// What the app and `serve` tell of themselves over HTTP: metrics, request ids, log lines.
import { describe, expect, test, vi } from "vitest";
import { type AppServer, type Settings, startApp, startServe } from "../support/app-server.ts";
import { problemOf } from "../support/http-client.ts";
import { bearer, createClient, type SessionClient } from "../support/session-client.ts";
import { createWitness, leaks } from "../support/witness.ts";

const TOKEN = "a-token-of-these-tests-for-metrics";
const GARBAGE = 1_000;
const AT_ONCE = 20;

const PROGRAMS: readonly [string, (settings: Settings) => Promise<AppServer>][] = [
  ["the app", startApp],
  ["wallet-session serve", startServe],
];

describe.each(PROGRAMS)("%s", (_, start) => {
  test("counts a flood exactly, and writes little of it; each line of a request has the id of its answer", async () => {
    await using(start, async (client, server) => {
      const { send, refresh, signIn, rotated } = client;
      expect(problemOf(await send("GET", "/api/metrics"))).toBe("401 access_token_missing");
      expect(problemOf(await send("GET", "/api/metrics", { headers: bearer("wrong") }))).toBe(
        "401 access_token_invalid",
      );
      const { refreshToken, sessionId } = await signIn();
      const next = await rotated(refreshToken);
      const refused = await refresh(refreshToken);
      expect(problemOf(refused)).toBe("401 refresh_token_reused");
      expect(problemOf(await client.session(next.accessToken))).toBe("401 session_revoked");

      const before = server.output().length;
      for (let sent = 0; sent < GARBAGE; sent += AT_ONCE) {
        await Promise.all(Array.from({ length: AT_ONCE }, () => refresh("garbage")));
      }
      // At trace: a line for each would be half a megabyte.
      expect(server.output().length - before).toBeLessThan(200_000);

      const { text } = await send("GET", "/api/metrics", { headers: bearer(TOKEN) });
      const value = (sample: string) =>
        text
          .split("\n")
          .find((line) => line.startsWith(`${sample} `))
          ?.slice(sample.length + 1);
      expect(value('wallet_session_refreshes_total{outcome="refresh_token_invalid",cause="malformed"}')).toBe(
        String(GARBAGE),
      );
      expect(value('wallet_session_refreshes_total{outcome="rotated",cause=""}')).toBe("1");
      expect(value("wallet_session_reuse_alarms_total")).toBe("1");
      expect(text).toContain('http_route="/api/auth/refresh",http_response_status_code="401"');
      expect(text).not.toContain(sessionId);

      const lines = () =>
        linesOf(server).filter(({ requestId }) => requestId === refused.headers.get("X-Request-Id"));
      const events = ["revoked", "reuse_detected", "refresh_refused", "request"];
      await vi.waitFor(() => expect(lines().map(({ event }) => event)).toEqual(events), 10_000);
      expect(lines().every((line) => [sessionId, undefined, null].includes(line.sessionId))).toBe(true);
    });
  });
});

/** What it has logged. The last line may have come in part. */
function linesOf(server: AppServer) {
  const whole = server.output().split("\n").slice(0, -1);
  return whole.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
}

async function using(
  start: (settings: Settings) => Promise<AppServer>,
  work: (client: SessionClient, server: AppServer) => Promise<void>,
): Promise<void> {
  const server = await start({ METRICS_TOKEN: TOKEN });
  const witness = createWitness();
  try {
    await work(createClient(server, witness), server);
    await server.kill("SIGKILL");
    expect(leaks(server, witness)).toEqual([]);
  } finally {
    await server.stop();
  }
}
