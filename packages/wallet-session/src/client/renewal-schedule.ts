import type { ClientEnvironment } from "./environment.ts";
import { askedWaitMs } from "./problem.ts";

/** Shares of the lifetime after which a renewal is due: random in between, so that tabs and devices do not renew at once. */
const RENEWAL_SHARE = { from: 0.6, to: 0.8 };
const SHORTEST_DELAY_MS = 1_000;
const LONGEST_RETRY_DELAY_MS = 60_000;

/** When the next renewal is due. At most one is planned; each plan replaces the one before. */
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

  /** Plans the renewal of an access token that is good for `lifetimeMs` from now on. */
  planFor(lifetimeMs: number): void {
    this.#failures = 0;
    const share = RENEWAL_SHARE.from + (RENEWAL_SHARE.to - RENEWAL_SHARE.from) * this.#environment.random();
    this.planIn(Math.max(SHORTEST_DELAY_MS, lifetimeMs * share));
  }

  /** Plans the retry after a failure: when the server asked for it, or further and further apart. */
  planRetry(retryAfterSeconds: number | undefined): void {
    const backoffMs = Math.min(LONGEST_RETRY_DELAY_MS, SHORTEST_DELAY_MS * 2 ** this.#failures);
    this.#failures += 1;
    const ownMs = backoffMs * (0.5 + this.#environment.random() / 2);
    // A server that always asks for one second would get sixty requests a minute.
    this.planIn(retryAfterSeconds === undefined ? ownMs : Math.max(ownMs, askedWaitMs(retryAfterSeconds)));
    this.#serverAskedToWait = retryAfterSeconds !== undefined;
  }

  planIn(delayMs: number): void {
    this.cancel();
    if (this.#stopped) return;
    const cancel = this.#environment.after(delayMs, this.#renew);
    this.#timer = { dueAt: this.#environment.now() + delayMs, cancel };
  }

  /** Plans nothing until `resume`, whatever is still under way. */
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
   * After sleep or time offline: renews at once if that is overdue, or if the last try failed and the server did not ask to
   * wait.
   */
  wake(): void {
    if (this.#timer === undefined) return;
    const overdue = this.#timer.dueAt <= this.#environment.now();
    if (overdue || (this.#failures > 0 && !this.#serverAskedToWait)) this.#renew();
  }
}
