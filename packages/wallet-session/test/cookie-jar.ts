/** The cookies of one browser. Only names, values and `Max-Age=0` count. */
export class CookieJar {
  readonly #values = new Map<string, string>();

  get header(): string {
    return [...this.#values].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  get names(): string[] {
    return [...this.#values.keys()].sort();
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  delete(name: string): void {
    this.#values.delete(name);
  }

  /** As a `Set-Cookie` line says. */
  keep(line: string): void {
    const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
    const [name = "", value = ""] = pair.split("=");
    if (attributes.some((attribute) => /^max-age=0$/i.test(attribute))) this.#values.delete(name);
    else this.#values.set(name, value);
  }
}
