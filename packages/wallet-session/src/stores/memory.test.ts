import { describe, test } from "vitest";
import { storeConformance } from "../testing.ts";
import { createMemoryStore } from "./memory.ts";

describe("memory store", () => {
  storeConformance({ test, open: async () => createMemoryStore() });
});
