import { expect, test } from "vitest";
import { BODY_MEMBERS_MAX } from "../../limits.ts";
import { readBody } from "./body.ts";

const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";

function read(type: string, body: string) {
  const headers = { "Content-Type": type };
  return readBody(new Request("https://pay.example.com/", { method: "POST", headers, body }), 65_536);
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `m${index}`);
const json = (count: number) => JSON.stringify(Object.fromEntries(names(count).map((name) => [name, 1])));

test.each([
  ["a JSON object", JSON_TYPE, json],
  ["a form", FORM_TYPE, (count: number) => names(count).join("&")],
])("%s with too many members is refused", async (_, type, bodyOf) => {
  expect((await read(type, bodyOf(BODY_MEMBERS_MAX))).size).toBe(BODY_MEMBERS_MAX);
  await expect(read(type, bodyOf(BODY_MEMBERS_MAX + 1))).rejects.toMatchObject({
    code: "invalid_request",
    message: expect.stringContaining("1000 members at most"),
  });
});

test("a form of nothing but separators is no way around that", async () => {
  await expect(read(FORM_TYPE, "&".repeat(60_000))).rejects.toMatchObject({ code: "invalid_request" });
});
