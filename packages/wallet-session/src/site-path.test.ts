import { expect, test } from "vitest";
import { sitePath } from "./site-path.ts";

test.each([
  ["/", "/"],
  ["/streams/abc?tab=1#history", "/streams/abc?tab=1#history"],
  ["/a/../b", "/b"],
  ["/a?next=//evil.example#//evil.example", "/a?next=//evil.example#//evil.example"],
  ["/javascript:alert(1)", "/javascript:alert(1)"],
  ["/%2f%2fevil.example", "/%2f%2fevil.example"],
  ["/ü", "/%C3%BC"],
])("%s is a path of this site", (next, path) => {
  expect(sitePath(next)).toBe(path);
});

test.each([
  null,
  undefined,
  "",
  "streams",
  "?a",
  "#a",
  "https://evil.example/",
  "https:evil.example",
  "javascript:alert(1)",
  "data:text/html,x",
  " /a",
  "//evil.example",
  "///evil.example",
  "/\\evil.example",
  "/a\\b",
  "/\t/evil.example",
  "/\n/evil.example",
  "/a\r\nSet-Cookie: a=b",
  "/\u0000",
  "/\u0085/evil.example",
  "/.//evil.example",
  "/a/..//evil.example",
  "/%2e//evil.example",
  "/%2e%2e//evil.example",
  "//[",
])("%j leads elsewhere, or nowhere", (next) => {
  expect(sitePath(next)).toBeNull();
});
