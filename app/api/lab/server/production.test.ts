import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { get, post } from "../../auth/routes.fixture.ts";

test("in production it answers as what is not there, to every method", async () => {
  Object.assign(process.env, {
    WALLET_SESSION_MODE: "production",
    PUBLIC_URL: "http://localhost:3000",
    AUTH_SECRET: "a secret of this test that is long enough",
    STELLAR_SIGNING_SEED: createWalletKeypair().seed,
    HORIZON_URL: "none",
    DATABASE_URL: "memory:",
    // Even where somebody has set it.
    LAB_RESTART_EXIT_CODE: "75",
  });
  const { DELETE, GET, POST } = await import("./route.ts");
  const requests = [
    get("/api/lab/server"),
    post("/api/lab/server", {}),
    new Request("http://localhost:3000/api/lab/server", { method: "DELETE" }),
  ];
  const answers = await Promise.all(
    [GET, POST, DELETE].map((handle, index) => handle(requests[index] as Request)),
  );
  for (const answer of answers)
    expect([answer.status, (await answer.json()).code]).toEqual([404, "not_found"]);
});
