/** Those who want to be told. One that throws keeps neither the others nor the teller from going on. */
export class Listeners<T extends readonly unknown[]> {
  readonly #listeners = new Set<(...told: T) => void>();

  /** The function returned takes it off again. */
  add(listener: (...told: T) => void): () => void {
    // As something of its own: the same function may be added twice, and each is taken off by itself.
    const own = (...told: T) => listener(...told);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  tell(...told: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(...told);
      } catch (error) {
        // Seen where the page's other mistakes are.
        void Promise.reject(error);
      }
    }
  }
}
