// What docs/operations.md tells people on call, against the existing alerts and command line.
import { expect, test } from "vitest";
import { COMMON_OPTIONS } from "../../packages/wallet-session/src/cli/command.ts";
import { COMMANDS } from "../../packages/wallet-session/src/cli/commands.ts";
import { alerts } from "./alerts.ts";
import { document, documents } from "./markdown.ts";

/** What each page answers, in this order. */
const PARTS = ["**People see**", "**Check**", "**Do**", "**Over**"];
/** What `wallet-session` takes without a command, and each command beside its own. */
const HELP = ["help", "version"];

function pages(): { name: string; text: string }[] {
  const [, section = ""] = document("docs/operations.md").text.split(/^## Alerts$/m);
  const [pagesOf = ""] = section.split(/^## /m);
  return pagesOf
    .split(/^### /m)
    .slice(1)
    .map((text) => ({ name: text.slice(0, text.indexOf("\n")), text }));
}

test("each alert has its page in docs/operations.md, in the order of the rules, and each page its alert", () => {
  expect(pages().map(({ name }) => name)).toEqual(alerts().map(({ name }) => name));
});

test.each(alerts())(
  "the page of $name says how urgent it is, and what to look at and to do",
  ({ name, severity }) => {
    const { text = "" } = pages().find((page) => page.name === name) ?? {};
    expect(text).toContain(`\n\n*${severity}.* `);
    expect(PARTS.map((part) => text.split(`\n- ${part} `).length - 1)).toEqual(PARTS.map(() => 1));
    expect(PARTS.toSorted((a, b) => text.indexOf(a) - text.indexOf(b))).toEqual(PARTS);
  },
);

test("every command of `npx wallet-session` that a document names exists, with its options", () => {
  const named = documents().flatMap(({ path, text }) =>
    [...text.matchAll(/npx wallet-session ([a-z-][^`|#>\n]*)/g)].map(([whole, line = ""]) => ({
      where: `${path}: ${whole}`,
      line,
    })),
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter(({ line }) => !exists(line)).map(({ where }) => where)).toEqual([]);
});

/** A command, a group of them, or none and only its help. */
function exists(line: string): boolean {
  const command = COMMANDS.find(({ name }) => line === name || new RegExp(`^${name}\\W`).test(line));
  if (command === undefined && COMMANDS.some(({ name }) => name.startsWith(`${line} `))) return true;
  const options = [...line.matchAll(/(?<=^| )--([a-z-]+)/g)].map(([, option = ""]) => option);
  const known = [
    ...HELP,
    ...Object.keys(command === undefined ? {} : { ...command.options, ...COMMON_OPTIONS }),
  ];
  return (
    (command !== undefined || line.startsWith("--")) && options.every((option) => known.includes(option))
  );
}
