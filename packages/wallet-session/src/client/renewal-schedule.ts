import type { ClientEnvironment } from "./environment.ts";
import { askedWaitMs } from "./problem.ts";

/** Shares of the lifetime after which a renewal is due: random in between, so that tabs and devices do not come at once. */
const RENEWAL_SHARE = { from: 0.6, to: 0.8 };
const SHORTEST_DELAY_MS = 1_000;
const LONGEST_RETRY_DELAY_MS = 60_000;

/** When the next renewal is due: one at most is planned, and each plan takes the place of the one before it. */
export class RenewalSchedule {
  readonly #environment: ClientEnvironment;
  readonly #renew: () => void;
  #timer: { readonly dueAt: number; readonly cancel: () => void } | undefined;
  #failures = 0;
  #serverAskedToWait = false;
  #stopped = false;

  constructor(environment: ClientEnvironment, renew: () => void) {
    this.#environment = environment;
    this.#renew = renew;
  }

  /** Undefined when nothing is planned. */
  get dueAt(): number | undefined {
    return this.#timer?.dueAt;
  }

  /** In time for an access token that is good for `lifetimeMs` from now on. */
  planFor(lifetimeMs: number): void {
    this.#failures = 0;
    const share = RENEWAL_SHARE.from + (RENEWAL_SHARE.to - RENEWAL_SHARE.from) * this.#environment.random();
    this.planIn(Math.max(SHORTEST_DELAY_MS, lifetimeMs * share));
  }

  /** After a failure: when the server asked for it, or further and further apart. */
  planRetry(retryAfterSeconds: number | undefined): void {
    const backoffMs = Math.min(LONGEST_RETRY_DELAY_MS, SHORTEST_DELAY_MS * 2 ** this.#failures);
    this.#failures += 1;
    const ownMs = backoffMs * (0.5 + this.#environment.random() / 2);
    // A server that asks for a second each time would be asked sixty times a minute.
    this.planIn(retryAfterSeconds === undefined ? ownMs : Math.max(ownMs, askedWaitMs(retryAfterSeconds)));
    this.#serverAskedToWait = retryAfterSeconds !== undefined;
  }

  planIn(delayMs: number): void {
    this.cancel();
    if (this.#stopped) return;
    const cancel = this.#environment.after(delayMs, this.#renew);
    this.#timer = { dueAt: this.#environment.now() + delayMs, cancel };
  }

  /** Plans nothing any more, whatever is still under way, until `resume`. */
  stop(): void {
    this.#stopped = true;
    this.cancel();
  }

  resume(): void {
    this.#stopped = false;
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#serverAskedToWait = false;
  }

  /**
   * After sleep or a spell without network: renews what has become due meanwhile, and at once what has failed so far,
   * unless the server itself asked to wait.
   */
  wake(): void {
    if (this.#timer === undefined) return;
    const overdue = this.#timer.dueAt <= this.#environment.now();
    if (overdue || (this.#failures > 0 && !this.#serverAskedToWait)) this.#renew();
  }
}
