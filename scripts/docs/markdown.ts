import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../setup/root.mjs";

/** A Markdown file of the project. `path` is relative to the root. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

interface Fence {
  readonly language: string;
  readonly code: string;
}

const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm;

/** All that is written for readers: at the root, in docs/, model/ and the package. */
export function documents(): Document[] {
  return globSync(["*.md", "docs/**/*.md", "model/*.md", "packages/*/*.md"], { cwd: root })
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

export function document(path: string): Document {
  const found = documents().find((candidate) => candidate.path === path);
  if (found === undefined) throw new Error(`There is no ${path}`);
  return found;
}

export function fences({ text }: Document, language: string): Fence[] {
  return [...text.matchAll(FENCE)]
    .map(([, name = "", code = ""]) => ({ language: name, code }))
    .filter((fence) => fence.language === language);
}

/** What is written outside code fences. */
export function prose({ text }: Document): string {
  return text.replaceAll(FENCE, "");
}

/** Links and pictures, with their text: `[text](target)`, `src="target"`, `srcset="target"`. */
export function links(source: Document): { text: string; target: string }[] {
  const text = prose(source);
  return [
    ...[...text.matchAll(/\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)/g)].map(
      ([, label = "", target = ""]) => ({
        text: label,
        target,
      }),
    ),
    ...[...text.matchAll(/(?:src|srcset)="([^"]+)"/g)].map(([, target = ""]) => ({ text: "", target })),
  ];
}

/** The fragments that a document can be linked at, as GitHub makes them of its headings. */
export function anchors(source: Document): string[] {
  return [...prose(source).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(" ", "-"),
  );
}
