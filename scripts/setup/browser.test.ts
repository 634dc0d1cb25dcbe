import { expect, test } from "vitest";
import { browserToTestWith } from "./browser.mjs";

test("without a browser its tests are left out and the reader is told; in CI they are not left out", () => {
  const nowhere = { CHROMIUM: "/nowhere/chromium" };
  const without = browserToTestWith(nowhere);
  expect(without.isThere).toBe(false);
  expect(without.note).toContain("did NOT run: there is no Chromium at /nowhere/chromium");
  expect(browserToTestWith({ ...nowhere, CI: "true" })).toEqual({ isThere: true });
  expect(browserToTestWith({ CHROMIUM: process.execPath })).toEqual({ isThere: true });
});
