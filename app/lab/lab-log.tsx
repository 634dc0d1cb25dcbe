"use client";

import { useEffect, useRef } from "react";
import type { Exchange, LogEntry, Tone } from "./recording.ts";

const DOT: Record<Tone, string> = {
  calm: "bg-edge",
  good: "bg-accent",
  notice: "bg-notice",
  danger: "bg-danger",
};

/** How far from its end a log may be scrolled and still follow it. */
const FOLLOWS_WITHIN_PX = 60;

/** All that the picture shows, in words. */
export function LabLog({ entries }: { entries: readonly LogEntry[] }) {
  const log = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const newest = entries.at(-1)?.id;

  // biome-ignore lint/correctness/useExhaustiveDependencies: each new entry is scrolled to
  useEffect(() => {
    if (follows.current) log.current?.scrollTo({ top: log.current.scrollHeight });
  }, [newest]);

  return (
    <div
      ref={log}
      role="log"
      aria-label="What happens"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must be able to reach it
      tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        follows.current = scrollHeight - scrollTop - clientHeight < FOLLOWS_WITHIN_PX;
      }}
      className="max-h-[36rem] min-h-64 overflow-y-auto pr-1 text-sm leading-relaxed"
    >
      <ol>
        {entries.map((entry) => (
          <Entry key={entry.id} entry={entry} />
        ))}
      </ol>
    </div>
  );
}

function Entry({ entry: { at, who, text, tone, exchange } }: { entry: LogEntry }) {
  if (who === "The rule") {
    return (
      <li className="my-2 rounded-xl bg-wash px-4 py-3">
        <p className="text-xs font-medium text-accent">{who}</p>
        <p className="mt-0.5">{text}</p>
      </li>
    );
  }
  const isChapter = who === "Lab";
  return (
    <li
      className={`grid grid-cols-[0.5rem_1fr] gap-3 py-2 ${isChapter ? "mt-2 border-t border-line pt-4 first:mt-0 first:border-0 first:pt-2" : ""}`}
    >
      <span aria-hidden="true" className={`mt-[0.45rem] size-2 rounded-full ${DOT[tone]}`} />
      <div className="min-w-0">
        <p className="flex flex-wrap gap-x-2 text-xs text-muted">
          <span className="font-mono tabular-nums">{(at / 1_000).toFixed(1)} s</span>
          <span className="font-medium text-ink">{who}</span>
          {exchange !== null && <Wire exchange={exchange} />}
        </p>
        <p className={isChapter ? "font-medium" : ""}>{text}</p>
      </div>
    </li>
  );
}

function Wire({ exchange: { method, path, status, code } }: { exchange: Exchange }) {
  const refused = status !== null && status >= 400;
  const result = status === null ? "no answer" : code === null ? String(status) : `${status} ${code}`;
  return (
    <span className="font-mono break-all">
      {method} {path} <span aria-hidden="true">→</span>{" "}
      <span className={refused ? "text-danger" : status === null ? "text-notice" : "text-accent"}>
        {result}
      </span>
    </span>
  );
}
