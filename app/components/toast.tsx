"use client";

import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from "react";

const SHOWN_MS = 6_000;

interface Toast {
  readonly id: number;
  readonly text: string;
}

const ToastContext = createContext<(text: string) => void>(() => {});

/** Shows a message for a moment. Never the only place for something a person must know. */
export function useToast(): (text: string) => void {
  return useContext(ToastContext);
}

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toast, setToast] = useState<Toast | null>(null);
  const show = useCallback((text: string) => setToast((last) => ({ id: (last?.id ?? 0) + 1, text })), []);

  useEffect(() => {
    if (toast === null) return;
    const timer = setTimeout(() => setToast(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [toast]);

  return (
    <ToastContext value={show}>
      {children}
      {/* Rendered from the start: screen readers do not announce a live region that comes with its text. */}
      <div
        role="status"
        className="pointer-events-none fixed inset-x-4 bottom-6 z-10 flex justify-center print:hidden"
      >
        {toast !== null && (
          <p key={toast.id} className="rounded-full bg-ink px-5 py-3 text-sm text-paper shadow-lg">
            {toast.text}
          </p>
        )}
      </div>
    </ToastContext>
  );
}
