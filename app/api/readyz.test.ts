import { createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { sessions } from "../lib/auth.ts";
import { GET } from "./[...path]/route.ts";
import { get } from "./auth/routes.fixture.ts";

async function answer() {
  const response = await GET(get("/api/readyz"));
  return { response, json: await response.json() };
}

// In this order in one process: a database that has once been opened stays.
test("not ready while the database of the streams is not there, or is silent; ready once it answers", async () => {
  await sessions.start();
  // It takes connections, and says nothing.
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  onTestFinished(() => void silent.close());
  await new Promise((resolve) => silent.once("listening", resolve));
  const address = silent.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");

  for (const port of [1, address.port]) {
    process.env.STREAMS_DATABASE_URL = `postgres://someone:hunter2@127.0.0.1:${port}/none`;
    const { response, json } = await answer();
    expect([response.status, json.code]).toEqual([503, "store_unavailable"]);
    expect(json.detail).toBe("The database of the streams did not answer. Try again.");
    expect(response.headers.get("retry-after")).toBe("1");
  }

  process.env.STREAMS_DATABASE_URL = "memory:";
  const { response, json } = await answer();
  expect(response.status).toBe(200);
  expect(json).toEqual({ status: "ready", store: true, revocations: true });
});
