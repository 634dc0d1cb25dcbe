// What docs/observability.md, the dashboard and the alerts say of metrics, against what a process tells.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createMetrics } from "wallet-session/server";
import { root } from "../setup/root.mjs";
import { alerts } from "./alerts.ts";
import { document, documents } from "./markdown.ts";

const OURS = /^(?:http_server|wallet_session)_/;
/** Not told by the process, but by the collector. */
const COLLECTORS = ["up"];

async function told(): Promise<{ name: string; type: string }[]> {
  const metrics = await createMetrics();
  metrics.watch(
    {
      getStats: () => ({ revocationViewAgeMs: 0, leases: 0, waitingEvents: { count: 0, ageMs: 0 } }),
      countSessions: async () => 0,
    },
    { eventStreamCount: () => 0 },
  );
  const { text } = await metrics.render();
  return [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = "", type = ""]) => ({ name, type }));
}

/** What can be asked for: of a histogram its three series. */
async function series(): Promise<Set<string>> {
  const all = (await told()).flatMap(({ name, type }) =>
    type === "histogram" ? ["bucket", "sum", "count"].map((part) => `${name}_${part}`) : [name],
  );
  return new Set([...all, ...COLLECTORS]);
}

/** The names of series in a PromQL expression: what stands in front of a selector, a range, or the end of an argument. */
function asked(expression: string): string[] {
  const withoutLabels = expression.replace(/\b(?:by|without) \([^)]*\)/g, "").replace(/\{[^}]*\}/g, "{}");
  return [...withoutLabels.matchAll(/\b[a-z_][a-z0-9_]*\b(?!\s*\()/g)]
    .map(([name]) => name)
    .filter((name) => name.includes("_") || COLLECTORS.includes(name));
}

const dashboard: {
  panels: { title: string; description?: string; targets?: { expr: string }[] }[];
  templating: { list: { definition?: string }[] };
} = JSON.parse(readFileSync(join(root, "docs/grafana/wallet-session.json"), "utf8"));

test("docs/observability.md has each metric, and no other", async () => {
  const rows = [...document("docs/observability.md").text.matchAll(/^\| `(\w+)` \|/gm)].map(
    ([, name = ""]) => name,
  );
  const written = rows.filter((name) => OURS.test(name));
  const ours = (await told()).map(({ name }) => name).filter((name) => OURS.test(name));
  expect(written.sort()).toEqual(ours.sort());
});

test("the dashboard and the alerts ask for nothing that no process tells", async () => {
  const known = await series();
  const panels = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const expressions = [...panels, ...alerts().map(({ expression }) => expression)];
  const names = expressions.flatMap((expression) => asked(expression.replaceAll("$__rate_interval", "5m")));
  expect(names.length).toBeGreaterThan(40);
  expect(names.filter((name) => !known.has(name))).toEqual([]);
});

test("no document names a metric that is not told", async () => {
  const known = new Set([...(await series()), ...(await told()).map(({ name }) => name)]);
  const unknown = documents().flatMap(({ path, text }) =>
    [...text.matchAll(/\b(?:http_server|wallet_session)_[a-z_]*[a-z]\b/g)]
      .filter(([name]) => !known.has(name))
      .map(([name]) => `${path}: ${name}`),
  );
  expect(unknown).toEqual([]);
});

test("each of our metrics is on the dashboard", async () => {
  const shown = JSON.stringify(dashboard);
  const ours = (await told()).map(({ name }) => name).filter((name) => OURS.test(name));
  expect(ours.filter((name) => !shown.includes(name))).toEqual([]);
});

test("each alert has a panel that names it and shows what it is about", () => {
  for (const { name, expression } of alerts()) {
    const [metric = ""] = asked(expression);
    const panels = dashboard.panels.filter(({ description }) => description?.split(/[ ,.]+/).includes(name));
    const shown = panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => asked(expr)));
    expect(shown, name).toContain(metric);
  }
});
