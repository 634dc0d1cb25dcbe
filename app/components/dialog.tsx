"use client";

import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { Button } from "./button.tsx";

interface DialogProps {
  title: string;
  children: ReactNode;
  /** While something is under way it cannot be closed. */
  busy: boolean;
  onClose: () => void;
  wide?: boolean;
}

/** A modal window, open as long as it is rendered. The focus goes back to where it was. */
export function Dialog({ title, children, busy, onClose, wide = false }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();

  // Closed while it still stands in the page: once removed, it can no longer give the focus back.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);

  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        if (!busy) onClose();
      }}
      className={`m-auto max-h-[calc(100dvh-2rem)] overflow-y-auto rounded-2xl border border-line bg-surface p-6 text-ink shadow-xl ${
        wide ? "w-[min(34rem,calc(100vw-2rem))] sm:p-8" : "w-[min(26rem,calc(100vw-2rem))]"
      }`}
    >
      <h2 id={titleId} className={`font-semibold tracking-tight ${wide ? "text-xl" : "text-lg"}`}>
        {title}
      </h2>
      {children}
    </dialog>
  );
}

interface ConfirmDialogProps {
  title: string;
  children: ReactNode;
  confirmLabel: string;
  busy: boolean;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks before something that cannot be undone. Focus starts on the harmless answer. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { title, children, confirmLabel, busy, onConfirm, onClose } = props;
  return (
    <Dialog title={title} busy={busy} onClose={onClose}>
      <div className="mt-2 text-sm leading-relaxed text-muted">{children}</div>
      <div className="mt-6 flex flex-wrap justify-end gap-3">
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
        <Button look="danger" busy={busy} onClick={onConfirm}>
          {confirmLabel}
        </Button>
      </div>
    </Dialog>
  );
}
