import { Node, type NodeParts, type Sender } from "./node.ts";
import { MINUTE, type Setting, type StoreFault } from "./plan.ts";
import type { Random } from "./random.ts";
import type { Sent } from "./wire.ts";

/** Between two nodes that get other secrets. */
const ROLLS_OUT_MS = 3_000;
/** A node learns of what it has missed. */
const RECOVERS_MS = 5_000;

/** The nodes of the service and the store that they share. */
export class Service {
  readonly nodes: readonly Node[];
  readonly #parts: NodeParts;
  #secrets = 0;
  #rollsOut = false;
  #faults = 0;

  constructor(setting: Setting, parts: NodeParts) {
    this.#parts = parts;
    this.nodes = Array.from({ length: setting.nodes }, (_, index) => new Node(index, parts));
  }

  start(): void {
    for (const node of this.nodes) void node.start();
  }

  /** By any node that is up. Null: the connection is lost. */
  async answer(sent: Sent, random: Random, sender: Sender): Promise<Response | null> {
    const up = this.nodes.filter(({ isUp }) => isUp);
    const node = up[random.below(Math.max(1, up.length))];
    return node === undefined ? null : node.answer(sent, sender);
  }

  crash(index: number, downMs: number): void {
    const node = this.nodes[index];
    if (node === undefined) return;
    this.#parts.tell?.(`${node.name} crashes`);
    this.#restart(node, downMs);
  }

  #restart(node: Node, downMs: number): void {
    const { judge, scheduler } = this.#parts;
    node.crash();
    const { life } = node;
    judge.answers.troubleUntil(scheduler.nowMs + downMs + RECOVERS_MS);
    scheduler.plan({ label: `${node.name}: start`, delayMs: downMs }, () => {
      if (node.life === life) void node.start();
    });
  }

  /** Each step on every node before the next: docs/operations.md. */
  changeSecrets(): void {
    if (this.#rollsOut) return;
    this.#rollsOut = true;
    this.#secrets += 1;
    const { scheduler, tell } = this.#parts;
    tell?.("the next list of secrets is rolled out");
    for (const [index, node] of this.nodes.entries()) {
      const list = this.#secrets;
      scheduler.plan({ label: "secrets", delayMs: index * ROLLS_OUT_MS }, () => {
        node.changeSecrets(list);
        this.#restart(node, 500);
      });
    }
    scheduler.plan({ label: "secrets", delayMs: MINUTE }, () => {
      // A node that could not start has not got them.
      this.#rollsOut = !this.nodes.every(({ isUp }) => isUp);
    });
  }

  failStore(fault: StoreFault, forMs: number): void {
    const { judge, scheduler, store, tell } = this.#parts;
    this.#faults += 1;
    const own = this.#faults;
    tell?.(`the store ${fault === "slow" ? "is slow" : fault} for ${forMs} ms`);
    store.fail(fault);
    judge.answers.troubleUntil(scheduler.nowMs + forMs + RECOVERS_MS);
    scheduler.plan({ label: "the store is well", delayMs: forMs }, () => {
      if (own === this.#faults) store.fail(null);
    });
  }

  async loseTail(ms: number): Promise<void> {
    const { judge, scheduler, store, tell } = this.#parts;
    tell?.(`the store loses its writes of the last ${ms} ms`);
    judge.answers.troubleUntil(scheduler.nowMs + RECOVERS_MS);
    await store.lose(ms, this.nodes);
  }

  setClock(index: number, byMs: number): void {
    this.#parts.tell?.(`the clock of node ${index + 1} is set by ${byMs} ms`);
    this.nodes[index]?.setClock(byMs);
  }

  /** All is well from now on. */
  heal(): void {
    this.#faults += 1;
    this.#parts.store.fail(null);
    for (const node of this.nodes) {
      if (!node.isUp) this.#restart(node, 0);
    }
  }
}
