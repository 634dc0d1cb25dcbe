"use client";

import Link from "next/link";
import { isFinal, type Operation, progressText, statusText, useOperations } from "./operation-data.ts";

/** The unfinished operations, on a page that people visit: they go on without anybody watching. */
export function OperationStrip() {
  const { data } = useOperations();
  const open = data?.filter((operation) => !isFinal(operation)) ?? [];
  if (open.length === 0) return null;
  return (
    <ul aria-label="Operations under way" className="mt-6 grid gap-2">
      {open.map((operation) => (
        <Strip key={operation.id} operation={operation} />
      ))}
    </ul>
  );
}

function Strip({ operation }: { operation: Operation }) {
  const paused = operation.status === "paused";
  return (
    <li
      className={`relative flex flex-wrap items-center justify-between gap-x-4 gap-y-1 rounded-xl border px-4 py-3 text-sm ${paused ? "border-notice/40 bg-notice-wash text-notice" : "border-line bg-wash"}`}
    >
      <Link
        href={`/operations/${operation.id}`}
        prefetch={false}
        className="font-medium after:absolute after:inset-0"
      >
        {statusText(operation)}
      </Link>
      <span className="tabular-nums">{progressText(operation)}</span>
    </li>
  );
}
