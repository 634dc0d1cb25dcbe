import { onAbort } from "../../src/client/abort.ts";
import type { LockOptions, Locks } from "../../src/client/environment.ts";
import type { Machine } from "./machine.ts";

interface LockRequest {
  readonly isShared: boolean;
  grant(): void;
  lose(): void;
}

/** Web Locks: in order for each name, shared ones together; the news of a grant or a loss reaches a tab as a turn. */
export class VirtualLocks implements Locks {
  readonly #machine: Machine;
  readonly #held = new Map<string, Set<LockRequest>>();
  readonly #waiting = new Map<string, LockRequest[]>();
  readonly #newLine: () => number;

  constructor(machine: Machine, newLine: () => number) {
    this.#machine = machine;
    this.#newLine = newLine;
  }

  request<T>(name: string, options: LockOptions, task: () => Promise<T>): Promise<T> {
    const line = this.#newLine();
    const signal = "signal" in options ? options.signal : undefined;
    return new Promise<T>((resolve, reject) => {
      const own: LockRequest = {
        isShared: "mode" in options && options.mode === "shared",
        grant: () => {
          this.#holders(name).add(own);
          this.#machine.plan({ label: "lock granted", line }, () => {
            stopListening();
            if (signal?.aborted) return this.#release(name, own);
            const release = () => this.#release(name, own);
            task().then(resolve, reject).finally(release);
          });
        },
        lose: () =>
          void this.#machine.plan({ label: "lock stolen", line }, () =>
            reject(new DOMException("stolen", "AbortError")),
          ),
      };
      const stopListening = onAbort(signal, () => {
        this.#waiting.set(
          name,
          this.#queue(name).filter((other) => other !== own),
        );
        reject(signal?.reason);
        this.#grantNext(name);
      });
      if (signal?.aborted) return;
      if ("steal" in options) {
        const holders = [...this.#holders(name)];
        this.#held.set(name, new Set());
        for (const holder of holders) holder.lose();
        own.grant();
      } else {
        this.#waiting.set(name, [...this.#queue(name), own]);
        this.#grantNext(name);
      }
    });
  }

  #release(name: string, request: LockRequest): void {
    if (this.#holders(name).delete(request)) this.#grantNext(name);
  }

  #grantNext(name: string): void {
    const [next, ...others] = this.#queue(name);
    if (next === undefined) return;
    const holders = [...this.#holders(name)];
    if (holders.length > 0 && !(next.isShared && holders.every(({ isShared }) => isShared))) return;
    this.#waiting.set(name, others);
    next.grant();
    this.#grantNext(name);
  }

  #holders(name: string): Set<LockRequest> {
    const holders = this.#held.get(name) ?? new Set();
    this.#held.set(name, holders);
    return holders;
  }

  #queue(name: string): LockRequest[] {
    return this.#waiting.get(name) ?? [];
  }
}
