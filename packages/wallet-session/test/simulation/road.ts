import type { Sender } from "./node.ts";
import type { Setting, Weather } from "./plan.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Service } from "./service.ts";
import type { Delivery, Network, Sent } from "./wire.ts";

/** A request lives less than a leeway, and 10 s at most: docs/protocol.md, "Limits". */
const LATE = { most: 8_000, ofLeeway: 0.4 };
/** A program refreshes again after ten. */
const SECOND_COPY_MS = 5_000;
/** A browser that hears four refusals of its proofs gives its key up, and one may come before the first copy. */
const SECOND_REFUSALS_MAX = 2;
/** What may happen on a fine day. */
const MISHAPS = [
  "requests lost",
  "answers lost",
  "answers late",
  "requests late",
  "doubled",
  "unavailable",
] as const;

/** The network between one machine and the service. */
export class Road {
  weather: Weather | null = null;
  /** The last refresh that was answered with tokens, as somebody on the way has seen it. */
  lastRefresh: Sent | null = null;
  lost = 0;
  mishaps: number;
  /** In a row. */
  #secondRefusals = 0;
  readonly #scheduler: Scheduler;
  readonly #service: Service;
  readonly #random: Random;
  readonly #lateMs: number;
  readonly #sender: Sender;

  constructor(parts: {
    readonly scheduler: Scheduler;
    readonly service: Service;
    readonly random: Random;
    readonly setting: Setting;
    readonly sender: Sender;
  }) {
    this.#scheduler = parts.scheduler;
    this.#service = parts.service;
    this.#random = parts.random;
    this.#sender = parts.sender;
    this.mishaps = parts.sender.isThief ? 0 : parts.setting.mishaps;
    this.#lateMs = Math.min(LATE.most, LATE.ofLeeway * parts.setting.leewayMs);
  }

  readonly meet: Network = (sent) => {
    const mishap = this.#random.chance(this.mishaps) ? this.#random.pick(MISHAPS) : null;
    const kind = this.weather ?? mishap;
    return kind === null ? this.#deliver(sent) : this.#through(kind, sent);
  };

  async #through(weather: Weather, sent: Sent): Promise<Delivery | null> {
    const isByKeys = sent.url.includes("/device/");
    switch (weather) {
      case "requests lost":
        return this.#lose();
      case "answers lost":
        await this.#deliver(sent);
        return this.#lose();
      case "answers late":
        return this.#deliver(sent, this.#random.below(this.#lateMs));
      case "requests late":
        await this.#scheduler.pause(this.#random.below(this.#lateMs), "late request");
        return this.#deliver(sent);
      case "doubled":
        return this.#twice(sent, isByKeys);
      case "unavailable":
        return refusal(503, "store_unavailable");
      // Of a stranger's answer to a request of its own, a browser makes an end of its key, and so it does of a 429.
      case "limited":
        return isByKeys ? refusal(503, "rate_limited") : refusal(429, "rate_limited");
      case "a portal":
        return isByKeys ? this.#lose() : page(200);
      case "a stranger's 401s":
        return isByKeys ? this.#lose() : page(401);
      default:
        return weather satisfies never;
    }
  }

  /** Two copies arrive, and either's answer. Of a proof, the second copy is refused, and the browser makes another one. */
  async #twice(sent: Sent, isByKeys: boolean): Promise<Delivery | null> {
    const first = this.#deliver(sent);
    const second = this.#scheduler
      .pause(this.#random.below(Math.min(SECOND_COPY_MS, this.#lateMs)), "second copy")
      .then(() => this.#deliver(sent));
    const hearsFirst = this.#random.chance(0.5) || (isByKeys && this.#secondRefusals === SECOND_REFUSALS_MAX);
    const answer = await (hearsFirst ? first : second);
    if (isByKeys)
      this.#secondRefusals = !hearsFirst && answer?.response.status === 403 ? this.#secondRefusals + 1 : 0;
    return answer;
  }

  async #deliver(sent: Sent, delayMs = 0): Promise<Delivery | null> {
    const response = await this.#service.answer(sent, this.#random, this.#sender);
    if (response === null) return this.#lose();
    if (response.status === 200 && sent.url.endsWith("/refresh")) this.lastRefresh = sent;
    return { response, delayMs };
  }

  #lose(): null {
    this.lost += 1;
    return null;
  }
}

function refusal(status: number, code: string): Delivery {
  const headers = { "content-type": "application/problem+json", "retry-after": "0" };
  return { response: new Response(JSON.stringify({ status, code, detail: code }), { status, headers }) };
}

function page(status: number): Delivery {
  return { response: new Response("<h1>Log in</h1>", { status, headers: { "content-type": "text/html" } }) };
}
