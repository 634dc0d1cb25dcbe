import { readBinding } from "../../src/bindings/binding.ts";
import { cookieNames } from "../../src/cookie-names.ts";
import { CookieJar } from "../cookie-jar.ts";
import { cookiesOf, factsOf } from "./facts.ts";
import { Machine } from "./machine.ts";
import { ORIGIN } from "./node.ts";
import type { Loot, Person, PersonParts } from "./person.ts";
import type { ThiefDoes } from "./plan.ts";
import { Random } from "./random.ts";
import { Road } from "./road.ts";
import { type Sent, Wire } from "./wire.ts";

const COOKIES = cookieNames("ws");
const BASE = `${ORIGIN}/api/auth`;

/** Has what one victim holds or sends, but no key that the victim keeps. */
export class Thief {
  readonly #victim: Person;
  readonly #parts: PersonParts;
  readonly #wire: Wire;
  readonly #jar = new CookieJar();
  #loot: Loot | null = null;
  #captured: Sent | null = null;

  constructor(victim: Person, parts: PersonParts) {
    this.#victim = victim;
    this.#parts = parts;
    const { scheduler, service, setting, seed } = parts;
    const machine = new Machine(scheduler, `the thief of ${victim.name}`, seed);
    const random = new Random(`${seed} ${machine.name}'s road`);
    this.#wire = new Wire(
      scheduler,
      machine,
      new Road({ scheduler, service, random, setting, sender: { name: machine.name, isThief: true } }).meet,
    );
  }

  act(does: ThiefDoes): void {
    this.#parts.tell?.(`the thief of ${this.#victim.name} ${does}`);
    switch (does) {
      case "copies":
        this.#copy();
        return;
      case "copies the access token":
        this.#copyAccessToken();
        return;
      case "captures":
        this.#capture();
        return;
      case "refreshes":
        this.#refresh(true);
        return;
      case "refreshes without the key":
        this.#refresh(false);
        return;
      case "fetches":
        // By the access token alone, without a look at the row.
        this.#send("GET", "/sessions", true);
        return;
      case "signs out":
        this.#send("POST", "/logout", true);
        return;
      default:
        does satisfies never;
    }
  }

  #copy(): void {
    const loot = this.#victim.loot();
    if (loot === null) return;
    this.#loot = loot;
    this.#captured = null;
    for (const [name, value] of cookiesOf(loot.cookies ?? "")) this.#jar.keep(`${name}=${value}`);
    this.#steals(loot.refreshToken);
  }

  #copyAccessToken(): void {
    const loot = this.#victim.loot();
    if (this.#loot === null || loot?.accessToken == null) return;
    this.#loot = { ...this.#loot, accessToken: loot.accessToken };
    if (loot.cookies !== null) this.#jar.keep(`${COOKIES.access}=${loot.accessToken}`);
  }

  #capture(): void {
    const sent = this.#victim.road.lastRefresh;
    if (sent === null) return;
    this.#captured = sent;
    this.#steals(factsOf(sent, true).refreshToken);
  }

  /** A session with a key is not stolen so, but by a token from before it was bound, which the jar holds while its answers are lost. */
  #steals(refreshToken: string | null): void {
    const { answers, truths } = this.#parts.judge;
    const token = answers.read(refreshToken);
    const truth = truths.of(token?.sessionId);
    if (token === null || truth === null) return;
    const binding = readBinding(truth.row.binding);
    const isOfBoundTime = binding?.kind === "device" && token.generation > binding.unboundUpTo;
    if (binding?.kind !== "dpop" && !isOfBoundTime) truth.stolen = true;
  }

  #refresh(withKey: boolean): void {
    if (this.#captured === null) {
      this.#send("POST", "/refresh", withKey);
      return;
    }
    const { method, url, headers, body } = this.#captured;
    this.#dispatch({ method, url, headers: new Headers(headers), body });
  }

  #send(method: string, path: string, withKey: boolean): void {
    const loot = this.#loot;
    if (loot === null) return;
    const headers = new Headers();
    let body: string | null = null;
    if (loot.cookies !== null) {
      if (!withKey) this.#jar.delete(COOKIES.retry);
      headers.set("cookie", this.#jar.header);
      headers.set("sec-fetch-site", "same-origin");
    } else if (method === "GET") {
      headers.set("authorization", `Bearer ${loot.accessToken}`);
    } else {
      headers.set("content-type", "application/json");
      if (withKey && loot.retryKey !== null) headers.set("idempotency-key", loot.retryKey);
      body = JSON.stringify({ refresh_token: loot.refreshToken });
    }
    this.#dispatch({ method, url: BASE + path, headers, body });
  }

  #dispatch(sent: Sent): void {
    this.#wire.send(sent, undefined).then(
      async (response) => {
        for (const line of response.headers.getSetCookie()) this.#jar.keep(line);
        if (response.status !== 200 || this.#loot?.cookies !== null || !sent.url.endsWith("/refresh")) return;
        const { refresh_token: refreshToken, access_token: accessToken } = await response.json();
        this.#loot = { cookies: null, refreshToken, accessToken, retryKey: null };
      },
      () => {},
    );
  }
}
