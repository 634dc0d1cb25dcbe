"use client";

import { useId } from "react";
import { type Draft, DURATION_UNITS, type DurationUnit } from "./new-stream.ts";

const PRESETS: readonly { name: string; length: string; unit: DurationUnit }[] = [
  { name: "1 hour", length: "1", unit: "hours" },
  { name: "1 day", length: "1", unit: "days" },
  { name: "1 week", length: "7", unit: "days" },
  { name: "30 days", length: "30", unit: "days" },
];

interface DurationFieldProps {
  draft: Draft;
  error: string | null;
  onChange: (part: Pick<Draft, "length" | "unit">) => void;
}

/** How long a stream lasts: a press for the usual, a number and a unit for all else. */
export function DurationField({ draft, error, onChange }: DurationFieldProps) {
  const id = useId();
  const { length, unit } = draft;
  return (
    <fieldset>
      <legend className="text-sm font-medium">Duration</legend>
      <div className="mt-1.5 flex flex-wrap gap-2">
        {PRESETS.map((preset) => (
          <button
            key={preset.name}
            type="button"
            aria-pressed={preset.length === length && preset.unit === unit}
            onClick={() => onChange({ length: preset.length, unit: preset.unit })}
            className="min-h-11 rounded-full border border-line px-4 text-sm text-muted hover:bg-sunken hover:text-ink aria-pressed:border-accent aria-pressed:bg-wash aria-pressed:font-medium aria-pressed:text-accent"
          >
            {preset.name}
          </button>
        ))}
      </div>
      <div className="mt-3 flex gap-2">
        <input
          name="length"
          aria-label="How many"
          aria-invalid={error !== null || undefined}
          aria-describedby={error === null ? undefined : id}
          inputMode="numeric"
          autoComplete="off"
          value={length}
          onChange={(event) => onChange({ length: event.target.value, unit })}
          className="min-h-11 w-24 rounded-xl border border-edge bg-surface px-3.5 text-base tabular-nums aria-[invalid]:border-danger sm:text-sm"
        />
        <select
          aria-label="Of which unit"
          value={unit}
          onChange={(event) => onChange({ length, unit: unitNamed(event.target.value) })}
          className="min-h-11 rounded-xl border border-edge bg-surface px-3 text-base sm:text-sm"
        >
          {DURATION_UNITS.map(([name]) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </div>
      {error !== null && (
        <p id={id} className="mt-1.5 text-sm text-danger">
          {error}
        </p>
      )}
    </fieldset>
  );
}

function unitNamed(text: string): DurationUnit {
  return DURATION_UNITS.find(([name]) => name === text)?.[0] ?? "hours";
}
