import { expect, test } from "vitest";
import { ConfigError } from "../config/settings.ts";
import { SessionError } from "../errors.ts";
import { UnfitStore } from "../stores/unfit-store.ts";
import { outageAtStart } from "./sessions.ts";

const fault = (cause: Error) => new SessionError("store_unavailable", "The store did not answer.", { cause });

test("a store that does not answer is an outage, and its cause is said", () => {
  expect(outageAtStart(fault(new Error("no route to host")))).toBe(
    "The store fails, and until it does not, requests are answered 503: Error: no route to host",
  );
});

test.each([
  ["settings that cannot be used", new ConfigError(["PORT must be a number"])],
  ["a store that must not be worked with", fault(new UnfitStore("The schema is newer."))],
  ["a file that cannot be opened", new Error("ENOTDIR")],
])("%s: none", (_, error) => {
  expect(outageAtStart(error)).toBeNull();
});
