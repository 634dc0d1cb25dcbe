import { describe, expect, test } from "vitest";
import type { SessionStore } from "../store.ts";
import { storeConformance } from "../testing.ts";
import { temporaryDatabase } from "./postgres/database.fixture.ts";
import { openPostgresStore } from "./postgres.ts";

const database = temporaryDatabase();

describe("PostgreSQL store", () => {
  const schemas = new WeakMap<SessionStore, string>();
  const openIn = async (schema: string) => {
    const store = openPostgresStore({ url: database.url, schema });
    schemas.set(store, schema);
    return store;
  };
  storeConformance({
    test,
    open: async () => openIn(await database.emptySchema()),
    openAnother: (first) => openIn(schemas.get(first) ?? ""),
  });
});

test("the name of a schema is a plain one", () => {
  for (const schema of ["", "1a", "Upper", 'a"; DROP SCHEMA public; --', "a".repeat(64)]) {
    expect(() => openPostgresStore({ url: database.url, schema }), schema).toThrow(RangeError);
  }
});
