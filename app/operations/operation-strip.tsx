"use client";

import Link from "next/link";
import { isFinal } from "../lib/operations/operation.ts";
import { type Operation, progressText, statusText, useOperations } from "./operation-data.ts";

/** The unfinished operations, on a page that people visit: they go on without anybody watching. */
export function OperationStrip() {
  const { data } = useOperations();
  const open = data?.filter((operation) => !isFinal(operation.status)) ?? [];
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

/** The operations that run under a session, with links. */
export function Running({ operations }: { operations: readonly Operation[] }) {
  if (operations.length === 0) return null;
  return (
    <ul className="mt-2 grid gap-1 text-sm">
      {operations.map((operation) => (
        <li key={operation.id} className="flex flex-wrap gap-x-3">
          <Link
            href={`/operations/${operation.id}`}
            prefetch={false}
            className="font-medium text-accent underline underline-offset-4"
          >
            {statusText(operation)}
          </Link>
          <span className="text-muted tabular-nums">{progressText(operation)}</span>
        </li>
      ))}
    </ul>
  );
}

/** Says what ending the session does to its running operations. */
export function pausesText(operations: readonly Operation[]): string {
  const what =
    operations.length === 1 && operations[0] !== undefined
      ? `“${statusText(operations[0])}” runs under this session and pauses`
      : `${operations.length} operations run under this session and pause`;
  return `${what} before the next step. Nothing is lost: sign in again and resume.`;
}
