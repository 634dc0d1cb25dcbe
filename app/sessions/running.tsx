import Link from "next/link";
import { type Operation, progressText, statusText } from "../operations/operation-data.ts";

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
