import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    include: ["packages/*/src/**/*.test.ts", "app/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 30_000,
  },
});
