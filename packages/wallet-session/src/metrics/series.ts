import type { Registry } from "prom-client";

/** The module `prom-client`, which is loaded where metrics are wanted and nowhere else. */
export type PromClient = typeof import("prom-client");

/** Label values, in the order in which the series names its labels. */
type Values<Labels extends readonly string[]> = { readonly [Index in keyof Labels]: string };

export type Series = ReturnType<typeof createSeries>;

/** Makes series of one registry. What is counted often finds its labels by one look-up. */
export function createSeries(client: PromClient, registry: Registry) {
  const named = <Label extends string>(name: string, help: string, labels: readonly Label[] = []) => {
    return { name, help, labelNames: [...labels], registers: [registry] };
  };
  return {
    /** Those of `from` are there from the beginning, at 0: what has never happened can be told from what is not told. */
    count<const Labels extends readonly string[]>(
      name: string,
      help: string,
      labels: Labels,
      from: readonly Values<Labels>[] = [],
    ) {
      const counter = new client.Counter(named(name, help, labels));
      const childOf = remembered((values: readonly string[]) => counter.labels(...values));
      for (const values of from) childOf(values).inc(0);
      return { add: (values: Values<Labels>, much?: number) => childOf(values).inc(much) };
    },

    times<const Labels extends readonly string[]>(
      name: string,
      help: string,
      labels: Labels,
      buckets: number[],
    ) {
      const histogram = new client.Histogram({ ...named(name, help, labels), buckets });
      const childOf = remembered((values: readonly string[]) => histogram.labels(...values));
      return { observe: (values: Values<Labels>, seconds: number) => childOf(values).observe(seconds) };
    },

    /** Something that is said by its labels alone. */
    constant(name: string, help: string, labels: Readonly<Record<string, string>>): void {
      new client.Gauge(named(name, help, Object.keys(labels))).set(labels, 1);
    },

    /** Read anew at each collection; not told where there is nothing to tell yet. */
    gauge(name: string, help: string, read: () => number | null): void {
      new client.Gauge({
        ...named(name, help),
        collect() {
          const value = read();
          if (value === null) this.remove();
          else this.set(value);
        },
      });
    },
  };
}

function remembered<Child>(make: (values: readonly string[]) => Child): (values: readonly string[]) => Child {
  const known = new Map<string, Child>();
  return (values) => {
    const key = values.join("\n");
    const found = known.get(key);
    if (found !== undefined) return found;
    const child = make(values);
    known.set(key, child);
    return child;
  };
}
