import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../setup/root.mjs";

interface Alert {
  readonly name: string;
  /** In PromQL; it may go over several lines. */
  readonly expression: string;
  /** `page` or `ticket`. */
  readonly severity: string;
}

/** The rules of docs/grafana/alerts.yml, in their order. */
export function alerts(): Alert[] {
  const text = readFileSync(join(root, "docs/grafana/alerts.yml"), "utf8");
  const rule =
    /- alert: (\w+)\n +expr: (?:>-\n)?([\s\S]*?)\n(?: +for: \w+\n)? +labels: \{ severity: (\w+) \}/g;
  return [...text.matchAll(rule)].map(([, name = "", expression = "", severity = ""]) => ({
    name,
    expression,
    severity,
  }));
}
