"use client";

import { type ComponentProps, type ReactNode, useId } from "react";

interface FieldProps extends ComponentProps<"input"> {
  label: string;
  hint?: ReactNode;
  /** What is wrong with the value; undefined until that should be shown. */
  error?: string | null;
  /** Stands inside the field, at its end. */
  unit?: string;
}

const BOX =
  "min-h-11 w-full rounded-xl border bg-surface px-3.5 text-base text-ink placeholder:text-muted aria-[invalid]:border-danger sm:text-sm";

/** A text field with its label, its hint and what is wrong with it. */
export function Field({ label, hint, error = null, unit, className = "", ...rest }: FieldProps) {
  const id = useId();
  const noteId = `${id}-note`;
  const note = error ?? hint;
  return (
    <div className={className}>
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      <div className="relative mt-1.5">
        <input
          id={id}
          aria-invalid={error !== null || undefined}
          aria-describedby={note === undefined ? undefined : noteId}
          autoComplete="off"
          className={`${BOX} border-edge ${unit === undefined ? "" : "pr-14"}`}
          {...rest}
        />
        {unit !== undefined && (
          <span
            aria-hidden="true"
            className="pointer-events-none absolute inset-y-0 right-3.5 flex items-center text-sm text-muted"
          >
            {unit}
          </span>
        )}
      </div>
      {note !== undefined && (
        <p id={noteId} className={`mt-1.5 text-sm ${error === null ? "text-muted" : "text-danger"}`}>
          {note}
        </p>
      )}
    </div>
  );
}
