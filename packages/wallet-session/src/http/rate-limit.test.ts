import { describe, expect, test } from "vitest";
import { RATE_LIMIT_KEYS_MAX } from "../limits.ts";
import { createWalletKeypair } from "../testing/wallet-keypair.ts";
import { problemOf, startHttp } from "./http.fixture.ts";
import {
  CHALLENGES_PER_MINUTE,
  CLIENT_DOMAINS_PER_MINUTE,
  CLIENTS_PER_SITE,
  createRateLimits,
  REFRESHES_PER_MINUTE,
  SIGN_INS_PER_MINUTE,
} from "./rate-limit.ts";

const REFRESH = "/api/auth/refresh";

async function exhaust(consume: () => Promise<void>, points: number): Promise<void> {
  for (let used = 0; used < points; used++) await consume();
}

describe("the limits", () => {
  test("count an address, and IPv6 by its /64", async () => {
    const limits = createRateLimits();
    await exhaust(() => limits.challenge("2001:db8:1:2::1"), CHALLENGES_PER_MINUTE);
    await expect(limits.challenge("2001:db8:1:2:ffff::9")).rejects.toMatchObject({
      code: "rate_limited",
      retryAfterSeconds: expect.toSatisfy((seconds) => seconds >= 1 && seconds <= 60),
    });
    await limits.challenge("2001:db8:1:3::1");
    await limits.signIn("2001:db8:1:2::1");
  });

  test("count IPv4 the same however it is written", async () => {
    const limits = createRateLimits();
    await exhaust(() => limits.signIn("203.0.113.9"), SIGN_INS_PER_MINUTE);
    await expect(limits.signIn("::ffff:203.0.113.9")).rejects.toMatchObject({ code: "rate_limited" });
    await limits.signIn("203.0.113.10");
  });

  test("count a /48 of IPv6 as ten clients, whichever of its networks ask", async () => {
    const limits = createRateLimits();
    const from = (site: number, network: number) => `2001:db8:${site}:${network.toString(16)}::1`;
    // The first one is refused, which uses up nothing of the others.
    await exhaust(() => limits.clientDomain(from(1, 0)), CLIENT_DOMAINS_PER_MINUTE);
    for (let refused = 0; refused < 100; refused++) {
      await expect(limits.clientDomain(from(1, 0))).rejects.toMatchObject({ code: "rate_limited" });
    }
    let network = 1;
    await exhaust(
      () => limits.clientDomain(from(1, network++)),
      CLIENT_DOMAINS_PER_MINUTE * (CLIENTS_PER_SITE - 1),
    );
    await expect(limits.clientDomain(from(1, network))).rejects.toMatchObject({ code: "rate_limited" });
    await limits.clientDomain(from(2, network));
  });

  test("end with their minute", async () => {
    let nowMs = 0;
    const limits = createRateLimits(() => nowMs);
    await exhaust(() => limits.signIn("203.0.113.9"), SIGN_INS_PER_MINUTE);
    nowMs = 59_000;
    await expect(limits.signIn("203.0.113.9")).rejects.toMatchObject({ retryAfterSeconds: 1 });
    nowMs = 60_000;
    await limits.signIn("203.0.113.9");
  });

  test("hold under a flood of more clients than are counted", async () => {
    const limits = createRateLimits();
    await exhaust(() => limits.signIn("203.0.113.9"), SIGN_INS_PER_MINUTE);
    for (let client = 0; client < 2 * RATE_LIMIT_KEYS_MAX; client++) {
      await limits.signIn(`10.${client >> 16}.${(client >> 8) & 255}.${client & 255}`);
    }
    await expect(limits.signIn("203.0.113.9")).rejects.toMatchObject({ code: "rate_limited" });
  });

  test("count nothing of unknown origin", async () => {
    const limits = createRateLimits();
    await exhaust(() => limits.signIn(null), SIGN_INS_PER_MINUTE + 1);
  });
});

test("challenges and sign-ins beyond the limit are 429, and a challenge stays good", async () => {
  let address = "203.0.113.9";
  const { send, answerFor } = await startHttp({ rateLimit: true, clientAddress: () => address });
  const { account } = createWalletKeypair();
  const path = `/api/auth/wallet?account=${account}`;
  const body = await answerFor();
  for (let used = 1; used < CHALLENGES_PER_MINUTE; used++) await send("GET", path);
  const refused = await send("GET", path);
  expect(await problemOf(refused)).toBe("429 rate_limited");
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(refused.headers.get("access-control-allow-origin")).toBe("*");
  const wrong = { body: { transaction: "AAAA" } };
  for (let used = 0; used < SIGN_INS_PER_MINUTE; used++) await send("POST", "/api/auth/wallet", wrong);
  expect(await problemOf(await send("POST", "/api/auth/wallet", { body }))).toBe("429 rate_limited");
  address = "203.0.113.10";
  expect((await send("POST", "/api/auth/wallet", { body })).status).toBe(200);
});

test("challenges that make the server ask a client domain have a limit of their own", async () => {
  const { send } = await startHttp({ rateLimit: true, clientAddress: () => "203.0.113.9" });
  const path = `/api/auth/wallet?account=${createWalletKeypair().account}`;
  // No domain name, so nothing is asked.
  const asking = `${path}&client_domain=127.0.0.1`;
  for (let used = 0; used < CLIENT_DOMAINS_PER_MINUTE; used++) {
    expect(await problemOf(await send("GET", asking))).toBe("400 invalid_request");
  }
  expect(await problemOf(await send("GET", asking))).toBe("429 rate_limited");
  expect((await send("GET", path)).status).toBe(200);
});

test("a session that refreshes without end is 429, keeps its cookies, and is alone in it", async () => {
  const { browser, clock, handlers, store } = await startHttp({ rateLimit: true });
  const jar = await browser();
  const other = await browser();
  clock.advance(600_000);
  await exhaust(async () => void (await jar.send("POST", REFRESH)), REFRESHES_PER_MINUTE);
  const before = await store.snapshot();
  for (const request of [jar.prepare("POST", REFRESH), jar.prepare("GET", `${REFRESH}?next=/x`)]) {
    const response = await handlers.fetch(request);
    expect(await problemOf(response)).toBe("429 rate_limited");
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(response.headers.get("location")).toBeNull();
  }
  expect(await store.snapshot()).toBe(before);
  expect((await other.send("POST", REFRESH)).status).toBe(200);
});

test("garbage uses up nobody's limit", async () => {
  const { signIn, send } = await startHttp({ rateLimit: true });
  const { refresh_token } = await signIn();
  const garbage = `${refresh_token.slice(0, -1)}${refresh_token.endsWith("A") ? "B" : "A"}`;
  for (let sent = 0; sent <= REFRESHES_PER_MINUTE; sent++) {
    const response = await send("POST", REFRESH, { body: { refresh_token: garbage } });
    expect(response.status).toBe(401);
  }
  expect((await send("POST", REFRESH, { body: { refresh_token } })).status).toBe(200);
});
