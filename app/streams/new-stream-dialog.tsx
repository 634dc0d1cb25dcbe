"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useRef, useState } from "react";
import { SessionClientError } from "wallet-session/client";
import { useSessionClient } from "wallet-session/react";
import { useAccount } from "../components/account.tsx";
import { Button } from "../components/button.tsx";
import { Dialog } from "../components/dialog.tsx";
import { explain } from "../components/explain.ts";
import { Field } from "../components/field.tsx";
import { Notice } from "../components/notice.tsx";
import { newIdempotencyKey } from "../components/request.ts";
import { useToast } from "../components/toast.tsx";
import { DurationField } from "./duration-field.tsx";
import { type Draft, type DraftField, EMPTY_DRAFT, mistakesIn, toNewStream } from "./new-stream.ts";
import { OffChainNote } from "./off-chain-note.tsx";
import { RatePreview } from "./rate-preview.tsx";
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
          name="recipient"
          label="Recipient"
          placeholder="G…"
          spellCheck={false}
          autoCapitalize="characters"
          className="font-mono"
          value={draft.recipient}
          error={shown.recipient ?? null}
          onChange={(event) => change({ recipient: event.target.value })}
        />
        <Field
          name="amount"
          label="Amount in all"
          inputMode="decimal"
          placeholder="100"
          unit="XLM"
          value={draft.amount}
          error={shown.amount ?? null}
          onChange={(event) => change({ amount: event.target.value })}
        />
        <DurationField draft={draft} error={shown.length ?? null} onChange={change} />
        <Field
          name="title"
          label="Title"
          hint="Optional. Both sides see it."
          value={draft.title}
          error={shown.title ?? null}
          onChange={(event) => change({ title: event.target.value })}
        />
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
