/** A set of listeners. One that throws stops neither the others nor the caller of `tell`. */
export function createListeners<T extends readonly unknown[]>() {
  const listeners = new Set<(...told: T) => void>();
  return {
    /** The function returned removes it. */
    add(listener: (...told: T) => void): () => void {
      // A new function: the same listener may be added twice, and each is removed by itself.
      const own = (...told: T) => listener(...told);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    tell(...told: T): void {
      for (const listener of listeners) {
        try {
          listener(...told);
        } catch (error) {
          // Reported as an unhandled rejection, with the page's other errors.
          void Promise.reject(error);
        }
      }
    },
  };
}
