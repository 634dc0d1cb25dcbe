import type { Adapter } from "./adapter.ts";
import { hasFailed } from "./run.ts";
import type { Result, Status } from "./scenario.ts";

const WORDS = {
  holds: "holds",
  fails: "FAILS",
  error: "ERROR",
  "not-claimed": "not claimed",
  "cannot-be-tried": "not tried",
} as const satisfies Record<Status, string>;

const COLUMNS = ["SCENARIO", "RESULT", "TRIED", "WHAT HAPPENED"] as const;

/** The table that a person reads, one line a scenario, and below it what each failure means. */
export function tableOf(adapter: Adapter, url: string, results: readonly Result[]): string {
  const cells = [COLUMNS, ...results.map(rowOf)];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const failures = results.filter(({ status }) => status === "fails");
  return [
    `${adapter.server} at ${url}`,
    "",
    ...lines,
    ...failures.flatMap(({ scenario }) => [
      "",
      `${scenario.name}: ${scenario.proves}`,
      `  It means: ${scenario.failureMeans}`,
      `  Seen in public: ${scenario.seenIn}`,
    ]),
    "",
    summaryOf(results),
  ].join("\n");
}

export function summaryOf(results: readonly Result[]): string {
  const count = (...wanted: readonly Status[]) =>
    results.filter(({ status }) => wanted.includes(status)).length;
  const verdict = hasFailed(results) ? "Not all that is claimed holds" : "All that is claimed holds";
  return `${verdict}: ${count("holds")} hold, ${count("fails", "error")} fail, ${count("not-claimed")} not claimed, ${count("cannot-be-tried")} not tried.`;
}

/** What a program reads. Members are stable. */
export function jsonOf(adapter: Adapter, url: string, results: readonly Result[]): string {
  const report = {
    server: adapter.server,
    url,
    claims: adapter.claims,
    failed: hasFailed(results),
    results: results.map(({ scenario, status, finding, why, milliseconds }) => ({
      name: scenario.name,
      status,
      holds: finding?.holds ?? null,
      tried: finding?.tried ?? 0,
      observed: finding?.observed ?? null,
      why,
      milliseconds,
      proves: scenario.proves,
      failure_means: scenario.failureMeans,
      seen_in: scenario.seenIn,
    })),
  };
  // An unlimited time is a number that JSON does not have.
  return JSON.stringify(report, (_, value) => (value === Number.POSITIVE_INFINITY ? "unlimited" : value), 2);
}

/** What build servers read. */
export function junitOf(adapter: Adapter, results: readonly Result[]): string {
  const count = (...wanted: readonly Status[]) =>
    results.filter(({ status }) => wanted.includes(status)).length;
  const attributes = [
    `name="refresh-conformance: ${escaped(adapter.server)}"`,
    `tests="${results.length}"`,
    `failures="${count("fails")}"`,
    `errors="${count("error")}"`,
    `skipped="${count("not-claimed", "cannot-be-tried")}"`,
  ];
  const cases = results.map(
    (result) =>
      `  <testcase classname="refresh" name="${result.scenario.name}" time="${result.milliseconds / 1000}">${junitBody(result)}</testcase>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuite ${attributes.join(" ")}>\n${cases.join("\n")}\n</testsuite>\n`;
}

function junitBody(result: Result): string {
  const { status, scenario } = result;
  const message = escaped(whatHappened(result));
  switch (status) {
    case "holds":
      return "";
    case "fails":
      return `<failure message="${message}">${escaped(scenario.failureMeans)}</failure>`;
    case "error":
      return `<error message="${message}"/>`;
    case "not-claimed":
    case "cannot-be-tried":
      return `<skipped message="${message}"/>`;
  }
}

function rowOf(result: Result): readonly string[] {
  return [
    result.scenario.name,
    WORDS[result.status],
    String(result.finding?.tried ?? "-"),
    whatHappened(result),
  ];
}

function whatHappened({ status, finding, why }: Result): string {
  if (finding === null) return why ?? "";
  return status === "not-claimed"
    ? `${finding.holds ? "works" : "breaks"}: ${finding.observed}`
    : finding.observed;
}

function escaped(text: string): string {
  const named: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => named[character] ?? "").replace(/\p{Cc}/gu, "?");
}
