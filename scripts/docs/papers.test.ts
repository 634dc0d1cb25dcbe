// docs/threat-model.md and docs/conformity.md: what they say holds is held by a test.
import { expect, test } from "vitest";
import { document, links } from "./markdown.ts";

/** Beside "holds", which takes a test. */
const STATES = ["does not", "not applicable"];

/** The cells of each row of each table, without the heads. */
function rows(path: string): string[][] {
  return [...document(path).text.matchAll(/^\| (.*) \|$(?!\n\|---)/gm)].map(([, row = ""]) =>
    row.split(" | "),
  );
}

/** The items of the lists above a heading. */
function items(path: string, heading: string): string[] {
  const [text = ""] = document(path).text.split(`## ${heading}`);
  return text.split(/^- /m).slice(1);
}

/** Links that name a test: documents.test.ts finds whether there is one. */
function tests(path: string, text = ""): string[] {
  return links({ path, text })
    .filter(({ text: label }) => /^".+"$/.test(label))
    .map(({ target }) => target);
}

test("each threat of docs/threat-model.md has its answer, and the test that shows it", () => {
  const path = "docs/threat-model.md";
  const threats = items(path, "Not defended");
  expect(threats.length).toBeGreaterThan(0);
  const unshown = threats.filter((item) => !/^\*\*.+\*\*: \S/.test(item) || tests(path, item).length === 0);
  expect(unshown).toEqual([]);
});

test("each requirement of docs/conformity.md holds by a test, or does not for a reason", () => {
  const path = "docs/conformity.md";
  const requirements = rows(path);
  expect(requirements.length).toBeGreaterThan(0);
  const unshown = requirements.filter(([name = "", state = "", why = "", ...more]) => {
    if (name === "" || why === "" || more.length > 0) return true;
    return state === "holds" ? tests(path, why).length === 0 : !STATES.includes(state);
  });
  expect(unshown).toEqual([]);
});
