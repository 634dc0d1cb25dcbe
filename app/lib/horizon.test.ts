import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { answer, post } from "../api/auth/routes.fixture.ts";
import { POST as signIn } from "../api/auth/wallet/route.ts";
import { sessions } from "./auth.ts";

test("accounts are asked for at HORIZON_URL; while it is out of order, sign-in is 503 and the challenge stays good", async () => {
  let isUp = false;
  const horizon = createServer((_, response) => {
    response.writeHead(isUp ? 404 : 500, { "content-type": "application/problem+json" });
    response.end(JSON.stringify({ type: "https://stellar.org/horizon-errors/not_found", status: 404 }));
  });
  await new Promise<void>((resolve) => void horizon.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void horizon.close());
  process.env.HORIZON_URL = `http://127.0.0.1:${(horizon.address() as AddressInfo).port}`;
  await sessions.start();

  const signed = await answer(createWalletKeypair());
  const refused = await signIn(post("/api/auth/wallet", signed));
  expect([refused.status, (await refused.json()).code]).toEqual([503, "horizon_unavailable"]);
  expect(refused.headers.get("retry-after")).not.toBeNull();
  isUp = true;
  expect((await signIn(post("/api/auth/wallet", signed))).status).toBe(200);
});
