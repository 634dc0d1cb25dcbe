import { describe, test } from "vitest";
import { temporaryDirectory } from "../../test/temporary-directory.ts";
import type { SessionStore } from "../store.ts";
import { storeConformance } from "../testing.ts";
import { openSqliteStore } from "./sqlite.ts";

const newPath = temporaryDirectory();

describe("SQLite store", () => {
  const paths = new WeakMap<SessionStore, string>();
  const openAt = async (path: string) => {
    const store = openSqliteStore({ path });
    paths.set(store, path);
    return store;
  };
  storeConformance({
    test,
    open: () => openAt(newPath("sessions.db")),
    openAnother: (first) => openAt(paths.get(first) ?? ""),
  });
});
