/** The cookies of one browser. Only names, values and `Max-Age` count, and without a clock no more of that than 0. */
export class CookieJar {
  readonly #cookies = new Map<string, { readonly value: string; readonly endsAt: number }>();
  readonly #now: () => number;

  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  get header(): string {
    const alive = [...this.#cookies].filter(([name]) => this.leftMs(name) > 0);
    return alive.map(([name, { value }]) => `${name}=${value}`).join("; ");
  }

  get names(): string[] {
    return [...this.#cookies.keys()].filter((name) => this.leftMs(name) > 0).sort();
  }

  get(name: string): string | undefined {
    return this.leftMs(name) > 0 ? this.#cookies.get(name)?.value : undefined;
  }

  /** Until the cookie ends; 0 where there is none. */
  leftMs(name: string): number {
    return Math.max(0, (this.#cookies.get(name)?.endsAt ?? 0) - this.#now());
  }

  delete(name: string): void {
    this.#cookies.delete(name);
  }

  /** As a `Set-Cookie` line says. */
  keep(line: string): void {
    const [pair = ""] = line.split(";");
    const [name = "", value = ""] = pair.split("=");
    const [, seconds = "Infinity"] = /;\s*max-age=(\d+)/i.exec(line) ?? [];
    this.#cookies.set(name.trim(), { value: value.trim(), endsAt: this.#now() + Number(seconds) * 1_000 });
  }
}
