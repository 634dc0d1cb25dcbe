// The lab in production: there is none.
import { describe, expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";

describe("in production", () => {
  const production = appUnderTest(() => ({ WALLET_SESSION_MODE: "production", HORIZON_URL: "none" }));

  test.each(["/lab", "/lab/anything"])("%s answers like any page that is not there", async (path) => {
    const at = (where: string) => fetch(`${production.server.address}${where}`);
    const [lab, nowhere] = await Promise.all([at(path), at("/nowhere")]);
    expect([lab.status, nowhere.status]).toEqual([404, 404]);
    const text = await lab.text();
    expect(text).toContain("There is no page here.");
    expect(text).not.toMatch(/lost answer|The life of a session/i);
  });

  test.each(["GET", "POST", "PUT", "DELETE"])(
    "%s /api/lab/server answers like any path that is not there",
    async (method) => {
      const at = async (path: string) => {
        const response = await fetch(`${production.server.address}${path}`, { method });
        return [response.status, await response.json()];
      };
      expect(await at("/api/lab/server")).toEqual(await at("/api/lab/nothing"));
    },
  );
});
