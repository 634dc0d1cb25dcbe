"use client";

import { useRouter } from "next/navigation";
import { type ChangeEvent, type ComponentProps, type FormEvent, useId, useRef, useState } from "react";
import { SessionClientError } from "wallet-session/client";
import { useSessionClient } from "wallet-session/react";
import { useAccount } from "../components/account.tsx";
import { Button } from "../components/button.tsx";
import { Notice, OffChainNote } from "../components/card.tsx";
import { Dialog } from "../components/dialog.tsx";
import { explain } from "../components/explain.ts";
import { amountText } from "../components/money.tsx";
import { newIdempotencyKey } from "../components/request.ts";
import { durationText } from "../components/time.tsx";
import { useToast } from "../components/toast.tsx";
import { accruedFor } from "../lib/streams/accrual.ts";
import { parseAmount } from "../lib/streams/money.ts";
import {
  type Draft,
  type DraftField,
  DURATION_UNITS,
  type DurationUnit,
  durationOf,
  EMPTY_DRAFT,
  mistakesIn,
  toNewStream,
} from "./new-stream.ts";
import { createStream } from "./stream-data.ts";

/** The order in which they stand, for the focus to go to the first that needs a second look. */
const FIELDS: readonly DraftField[] = ["recipient", "amount", "length", "title"];

const FULL = "Your account has as many streams that have not ended as it may have. Cancel one first.";

function isFull(error: unknown): boolean {
  return error instanceof SessionClientError && error.code === "stream_state";
}

/** The form for a stream that is not there yet; opens it once it is. */
export function NewStreamDialog({ onClose }: { onClose: () => void }) {
  const { actorId } = useAccount();
  const client = useSessionClient();
  const router = useRouter();
  const toast = useToast();
  const form = useRef<HTMLFormElement>(null);
  const [draft, setDraft] = useState<Draft>(EMPTY_DRAFT);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  /** One wish, one key: pressing again after a lost answer makes no second stream. */
  const wish = useRef({ body: "", key: "" });

  const mistakes = mistakesIn(draft, actorId);
  const shown = tried ? mistakes : {};
  const change = (part: Partial<Draft>) => setDraft((last) => ({ ...last, ...part }));
  const field = (name: DraftField) => ({
    name,
    value: draft[name],
    error: shown[name] ?? null,
    onChange: (event: ChangeEvent<HTMLInputElement>) => change({ [name]: event.target.value }),
  });

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (busy) return;
    setTried(true);
    setFailure(null);
    const first = FIELDS.find((field) => mistakes[field] !== undefined);
    if (first !== undefined) {
      form.current?.querySelector<HTMLInputElement>(`[name="${first}"]`)?.focus();
      return;
    }
    const wanted = toNewStream(draft);
    const body = JSON.stringify(wanted);
    if (wish.current.body !== body) wish.current = { body, key: newIdempotencyKey() };
    setBusy(true);
    try {
      const { id } = await createStream(client, wanted, wish.current.key);
      toast(draft.start ? "The stream has started." : "The stream is a draft until you start it.");
      router.push(`/streams/${id}`);
    } catch (error) {
      setFailure(isFull(error) ? FULL : explain(error));
      setBusy(false);
    }
  }

  return (
    <Dialog title="New stream" busy={busy} onClose={onClose} wide>
      <form ref={form} noValidate onSubmit={(event) => void submit(event)} className="mt-5 grid gap-5">
        <Field
          {...field("recipient")}
          label="Recipient"
          placeholder="G…"
          spellCheck={false}
          autoCapitalize="characters"
          className="font-mono"
        />
        <Field {...field("amount")} label="Amount in all" inputMode="decimal" placeholder="100" unit="XLM" />
        <DurationField draft={draft} error={shown.length ?? null} onChange={change} />
        <Field {...field("title")} label="Title" hint="Optional. Both sides see it." />
        <label className="flex min-h-11 items-center gap-3 text-sm font-medium">
          <input
            type="checkbox"
            checked={draft.start}
            onChange={(event) => change({ start: event.target.checked })}
            className="size-4.5 accent-accent"
          />
          Start it now
        </label>
        <RatePreview draft={draft} />
        <div aria-live="polite" className="empty:hidden">
          {failure !== null && <Notice look="danger">The stream was not created. {failure}</Notice>}
        </div>
        <div className="flex flex-wrap items-center justify-end gap-3">
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="primary" type="submit" busy={busy}>
            {draft.start ? "Create and start" : "Create draft"}
          </Button>
        </div>
        <OffChainNote />
      </form>
    </Dialog>
  );
}

/** What the figures in the form come to, in words. Nothing while there is nothing to say. */
function RatePreview({ draft }: { draft: Draft }) {
  const deposit = parseAmount(draft.amount.trim());
  const seconds = durationOf(draft);
  return (
    <p aria-live="polite" className="rounded-xl bg-wash px-4 py-3 text-sm empty:hidden">
      {deposit !== null && seconds !== null && seconds > 0 && (
        <>
          <span className="font-medium tabular-nums">{rateText(deposit, seconds)}</span>, for{" "}
          {durationText(seconds)}.
        </>
      )}
    </p>
  );
}

/** The pace in the largest step that does not go beyond the end: "2.4 XLM each hour". */
function rateText(deposit: bigint, seconds: number): string {
  const [name, length] =
    seconds >= 86_400 * 2 ? ["day", 86_400] : seconds >= 7_200 ? ["hour", 3_600] : (["minute", 60] as const);
  return `About ${amountText(accruedFor(deposit, Number(length) * 1_000, seconds))} XLM each ${name}`;
}

const PRESETS: readonly { name: string; length: string; unit: DurationUnit }[] = [
  { name: "1 hour", length: "1", unit: "hours" },
  { name: "1 day", length: "1", unit: "days" },
  { name: "1 week", length: "7", unit: "days" },
  { name: "30 days", length: "30", unit: "days" },
];

interface DurationFieldProps {
  draft: Draft;
  error: string | null;
  onChange: (part: Partial<Draft>) => void;
}

/** How long a stream lasts: a press for the usual, a number and a unit for all else. */
function DurationField({ draft: { length, unit }, error, onChange }: DurationFieldProps) {
  const id = useId();
  return (
    <fieldset>
      <legend className="text-sm font-medium">Duration</legend>
      <div className="mt-1.5 flex flex-wrap gap-2">
        {PRESETS.map(({ name, ...preset }) => (
          <button
            key={name}
            type="button"
            aria-pressed={preset.length === length && preset.unit === unit}
            onClick={() => onChange(preset)}
            className="min-h-11 rounded-full border border-line px-4 text-sm text-muted hover:bg-sunken hover:text-ink aria-pressed:border-accent aria-pressed:bg-wash aria-pressed:font-medium aria-pressed:text-accent"
          >
            {name}
          </button>
        ))}
      </div>
      <div className="mt-3 flex gap-2">
        <input
          {...describedBy(id, error)}
          name="length"
          aria-label="How many"
          inputMode="numeric"
          autoComplete="off"
          value={length}
          onChange={(event) => onChange({ length: event.target.value })}
          className={`${BOX} w-24 tabular-nums`}
        />
        <select
          aria-label="Of which unit"
          value={unit}
          onChange={(event) => onChange({ unit: unitNamed(event.target.value) })}
          className={BOX}
        >
          {DURATION_UNITS.map(([name]) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </div>
      <Note id={id} error={error} />
    </fieldset>
  );
}

function unitNamed(text: string): DurationUnit {
  return DURATION_UNITS.find(([name]) => name === text)?.[0] ?? "hours";
}

interface FieldProps extends ComponentProps<"input"> {
  label: string;
  hint?: string;
  /** What is wrong with the value; undefined until that should be shown. */
  error?: string | null;
  /** Stands inside the field, at its end. */
  unit?: string;
}

const BOX =
  "min-h-11 rounded-xl border border-edge bg-surface px-3.5 text-base text-ink placeholder:text-muted aria-[invalid]:border-danger sm:text-sm";

/** A text field with its label, its hint and what is wrong with it. */
function Field({ label, hint, error = null, unit, className = "", ...rest }: FieldProps) {
  const id = useId();
  const noteId = `${id}-note`;
  return (
    <div className={className}>
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      <div className="relative mt-1.5">
        <input
          {...describedBy(noteId, error, hint)}
          id={id}
          autoComplete="off"
          className={`${BOX} w-full ${unit === undefined ? "" : "pr-14"}`}
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
      <Note id={noteId} error={error} hint={hint} />
    </div>
  );
}

function describedBy(noteId: string, error: string | null, hint?: string) {
  const hasNote = error !== null || hint !== undefined;
  return { "aria-invalid": error !== null || undefined, "aria-describedby": hasNote ? noteId : undefined };
}

/** What is wrong with a field, or else its hint. */
function Note({ id, error, hint }: { id: string; error: string | null; hint?: string | undefined }) {
  if (error === null && hint === undefined) return null;
  return (
    <p id={id} className={`mt-1.5 text-sm ${error === null ? "text-muted" : "text-danger"}`}>
      {error ?? hint}
    </p>
  );
}
