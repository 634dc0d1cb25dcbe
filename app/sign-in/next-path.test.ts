import { describe, expect, test } from "vitest";
import { pathAfterSignIn, signInPath } from "./next-path.ts";

test("a page of this site is where one comes back to, with its query and fragment", () => {
  expect(pathAfterSignIn("/streams/abc?tab=1#history")).toBe("/streams/abc?tab=1#history");
  const there = new URL(signInPath("/streams?status=active&role=sender"), "http://localhost");
  expect(pathAfterSignIn(there.searchParams.get("next") ?? undefined)).toBe(
    "/streams?status=active&role=sender",
  );
});

describe("the streams are shown instead of", () => {
  test.each([
    ["nothing", undefined],
    ["an empty text", ""],
    ["another site", "https://evil.example/"],
    ["another site without its scheme", "//evil.example"],
    ["another site by a backslash", "/\\evil.example"],
    ["another site by dots", "/.//evil.example"],
    ["another site by a tab", "/\t/evil.example"],
    ["a script", "javascript:alert(1)"],
    ["a path without its slash", "streams"],
    ["the sign-in page itself", "/sign-in?next=/sign-in"],
    ["the start page", "/"],
    ["an endpoint", "/api/auth/refresh?next=/"],
  ])("%s", (_, next) => {
    expect(pathAfterSignIn(next)).toBe("/streams");
  });
});
