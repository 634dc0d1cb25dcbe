import { expect, test } from "vitest";
import { cookieNames } from "../cookie-names.ts";
import { createEndpoints } from "./endpoints.ts";
import { browserEnvironment } from "./environment.ts";

test("nothing is sent that goes on when it is given up", async () => {
  const sent: RequestInit[] = [];
  const callOff = new AbortController();
  const answer = { session_id: "s", expires_in: 900 };
  const endpoints = createEndpoints(
    "/api/auth",
    cookieNames("ws").retry,
    async (path, init = {}) => {
      sent.push(init);
      callOff.abort();
      return path === "/api/auth/logout" ? new Response(null, { status: 204 }) : Response.json(answer);
    },
    browserEnvironment(),
  );
  await endpoints.refresh(10_000, callOff.signal);
  await endpoints.signIn("envelope", 10_000, callOff.signal);
  await endpoints.signOut(10_000, callOff.signal);
  expect(sent.map(({ keepalive = false }) => keepalive)).toEqual([false, false, false]);
  expect(sent.map(({ signal }) => signal?.aborted)).toEqual([true, true, true]);
});
