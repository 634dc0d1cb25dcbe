import { expect, test } from "vitest";
import { problemOf, startHttp } from "../http.fixture.ts";

const TOKEN = "a-token-of-the-tests";
const metrics = {
  token: TOKEN,
  render: async () => ({ contentType: "text/plain; version=0.0.4", text: "up 1\n" }),
};
const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

test("who has the token gets the figures, and no cache keeps them", async () => {
  const { send } = await startHttp({ metrics });
  const answer = await send("GET", "/api/metrics", bearer(TOKEN));
  expect([answer.status, await answer.text()]).toEqual([200, "up 1\n"]);
  expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4");
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.headers.get("access-control-allow-origin")).toBeNull();
});

test("nobody else does", async () => {
  const { send, signIn } = await startHttp({ metrics });
  const missing = await send("GET", "/api/metrics");
  expect(await problemOf(missing)).toBe("401 access_token_missing");
  expect(missing.headers.get("www-authenticate")).toContain("Bearer");
  const { access_token } = await signIn();
  for (const token of [`${TOKEN}x`, TOKEN.slice(1), TOKEN.toUpperCase(), "", access_token]) {
    const refused = await problemOf(await send("GET", "/api/metrics", bearer(token)));
    expect(refused).toMatch(/^401 access_token_(invalid|missing)$/);
  }
  expect(await problemOf(await send("POST", "/api/metrics", bearer(TOKEN)))).toBe("405 method_not_allowed");
});

test("without a token it is not there, for anybody", async () => {
  const { send } = await startHttp();
  expect(await problemOf(await send("GET", "/api/metrics", bearer("")))).toBe("404 not_found");
  expect(await problemOf(await send("GET", "/api/metrics", bearer(TOKEN)))).toBe("404 not_found");
});
