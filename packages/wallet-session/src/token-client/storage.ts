/**
 * Where a program keeps its session. One storage holds one session; several clients and processes may share it if `lock`
 * reaches all of them.
 */
export interface TokenStorage {
  /** What was saved last; null where there is nothing. */
  load(): Promise<string | null>;
  /** Resolves when `text` is there to stay: it survives the end of the program. It holds secrets. Null removes all. */
  save(text: string | null): Promise<void>;
  /** Runs `task` while no other task of this storage runs, in any process that shares it. Gives what it gives. */
  lock<T>(task: () => Promise<T>): Promise<T>;
}

/**
 * A storage that ends with the program, for scripts that sign in each time.
 * @example
 * ```ts
 * import { createTokenClient, memoryStorage } from "wallet-session/token-client";
 *
 * export const client = createTokenClient({ url: "https://pay.example.com/api/auth", storage: memoryStorage() });
 * ```
 */
export function memoryStorage(): TokenStorage {
  let kept: string | null = null;
  return {
    load: async () => kept,
    save: async (text) => {
      kept = text;
    },
    lock: oneByOne(),
  };
}

/** Runs tasks one after the other. For the `lock` of a storage that one program uses alone. */
export function oneByOne(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const running = last.then(task);
    last = running.catch(() => {});
    return running;
  };
}
