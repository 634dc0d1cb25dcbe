/** Calls `work` once for all callers, and again with the next call where it has failed. */
export function untilDone<Output>(work: () => Promise<Output>): () => Promise<Output> {
  let begun: Promise<Output> | null = null;
  return () => {
    begun ??= work().catch((error: unknown) => {
      begun = null;
      throw error;
    });
    return begun;
  };
}
