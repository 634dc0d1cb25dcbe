import { onAbort } from "../../src/client/abort.ts";
import type { Machine } from "./machine.ts";
import type { Scheduler } from "./scheduler.ts";

/** What goes over the line. */
export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string | null;
}

export interface Delivery {
  readonly response: Response;
  /** Beyond the usual. */
  readonly delayMs?: number;
}

/** What the network makes of a request that was sent; null where the connection is lost. */
export type Network = (sent: Sent) => Promise<Delivery | null>;

const SLOWEST_HOP_MS = 50;

/** The line between a machine and the servers. A request that is given up may be met all the same, and has no answer. */
export class Wire {
  readonly #scheduler: Scheduler;
  readonly #machine: Machine;
  readonly #network: Network;

  constructor(scheduler: Scheduler, machine: Machine, network: Network) {
    this.#scheduler = scheduler;
    this.#machine = machine;
    this.#network = network;
  }

  /** `onAnswer`: sees the answer at the moment at which it arrives, if it is still awaited. */
  send(
    sent: Sent,
    signal: AbortSignal | undefined,
    onAnswer: (response: Response) => void = () => {},
  ): Promise<Response> {
    const machine = this.#machine;
    const { random } = machine;
    const hopMs = () => 1 + random.below(SLOWEST_HOP_MS);
    return new Promise((resolve, reject) => {
      const stopListening = onAbort(signal, () => reject(signal?.reason));
      if (signal?.aborted) return;
      const arrive = (delivery: Delivery | null) => {
        stopListening();
        if (signal?.aborted) return;
        if (delivery === null) return reject(new TypeError("The connection is lost"));
        onAnswer(delivery.response);
        resolve(delivery.response);
      };
      const mayBeMet = random.chance(0.5);
      // It is on its way, whatever becomes of the machine.
      this.#scheduler.plan({ label: "request", delayMs: hopMs(), isRemote: true }, async () => {
        if (signal?.aborted && !mayBeMet) return;
        const delivery = await this.#network(sent);
        const delayMs = hopMs() + (delivery?.delayMs ?? 0);
        machine.plan({ label: "answer", delayMs, isRemote: true }, () => arrive(delivery));
      });
    });
  }
}
