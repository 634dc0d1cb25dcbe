import { expect, test } from "vitest";
import { routes } from "./routes.ts";

test("every method reaches the handler, with the request alone", async () => {
  const seen: unknown[] = [];
  const exported = routes(async (...args) => {
    seen.push(args);
    return new Response();
  });
  const request = new Request("https://pay.example.com/api/auth/session");
  const methods = Object.entries(exported);
  for (const [, handle] of methods) {
    await (handle as (request: Request, context: object) => Promise<Response>)(request, { params: {} });
  }
  expect(methods.map(([name]) => name).sort()).toEqual([
    "DELETE",
    "GET",
    "HEAD",
    "OPTIONS",
    "PATCH",
    "POST",
    "PUT",
  ]);
  expect(seen).toEqual(methods.map(() => [request]));
});
