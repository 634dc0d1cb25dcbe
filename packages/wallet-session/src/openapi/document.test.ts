import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { contractOf } from "../../test/contract.ts";
import { exampleRequests } from "../../test/example-requests.ts";
import { type Answer, startHttp } from "../http/http.fixture.ts";
import { createWalletKeypair } from "../testing/wallet-keypair.ts";
import type { ApiPart } from "./document.ts";
import { object, text } from "./schema.ts";

const PATH = "/api/openapi.json";
const METRICS = {
  token: "the token of the metrics",
  render: async () => ({ contentType: "text/plain", text: "" }),
};
const CLIENT = { id: "boats", secret: "the-secret-of-the-boats" };
const contract = contractOf({ hasMetrics: true, hasClients: true });
const operations = Object.entries(contract.document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, ...operation })),
);

const BOATS: ApiPart = {
  info: { title: "Boats", version: "1.0.0" },
  tags: { Boats: "Boats for hire." },
  problems: { boat_hired: { status: 409, title: "Hired", type: "urn:boats:problem:boat_hired" } },
  paths: {
    "/api/boats/{id}": {
      get: {
        id: "getBoat",
        tag: "Boats",
        summary: "A boat",
        by: "access",
        gives: object({ name: text("Rosalie") }),
        refuses: ["not_found", "boat_hired"],
      },
    },
  },
};

async function documentOf(options: Parameters<typeof startHttp>[0] = {}) {
  const { send } = await startHttp(options);
  return (await (await send("GET", PATH)).json()) as unknown as typeof contract.document;
}

describe("the document", () => {
  test("is OpenAPI 3.1, with an app's part too", async () => {
    for (const part of [undefined, BOATS]) {
      const served = await documentOf(part && { openapi: () => part });
      expect(await new Validator().validate({ ...served })).toEqual({ valid: true });
      expect(served.openapi).toMatch(/^3\.1\./);
    }
  });

  test("has the version of the package", () => {
    expect(contract.document.info).toEqual({ title: "wallet-session", version: manifest.version });
  });

  test.each(operations)("$name: a summary, a tag, examples that its schemas describe", (operation) => {
    expect(operation.summary).toMatch(/^[A-Z]/);
    expect(contract.document.tags.map(({ name }) => name)).toContain(operation.tags[0]);
    const medias = [operation.requestBody, ...Object.values(operation.responses)].flatMap((part) =>
      Object.values(part?.content ?? {}),
    );
    for (const media of medias) {
      const { schema, example, examples } = media as { schema: object; example?: unknown; examples?: object };
      const values = [example, ...Object.values(examples ?? {}).map(({ value }) => value)];
      expect(values.filter((value) => value !== undefined)).not.toEqual([]);
      for (const value of values) if (value !== undefined) contract.requireValid(schema, value);
    }
    for (const { schema } of operation.parameters ?? []) {
      for (const value of schema.examples ?? []) contract.requireValid(schema, value);
    }
  });

  test("names each operation once", () => {
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("follows the settings: the base path, the names of cookies, metrics, the wallet's file", async () => {
    const plain = await documentOf();
    expect(Object.keys(plain.paths)).toContain("/.well-known/stellar.toml");
    expect(Object.keys(plain.paths)).not.toContain("/api/metrics");
    expect(plain.servers).toEqual([{ url: "https://pay.example.com" }]);
    const other = await documentOf({
      basePath: "/shop/session",
      cookieName: "shop",
      metrics: METRICS,
      wallet: {
        takes: { challenge: ["key"], answer: ["key", "signature"] },
        challenge: async () => ({}),
        verify: () => Promise.reject(new Error("not asked")),
      },
    });
    expect(Object.keys(other.paths)).toEqual(
      expect.arrayContaining(["/shop/session/refresh", "/api/metrics", PATH]),
    );
    expect(Object.keys(other.paths).join()).not.toMatch(/api\/auth|stellar/);
    expect(other.components.securitySchemes.accessCookie.name).toBe("__Host-shop_access");
    expect(other.paths["/shop/session/wallet"]?.get?.parameters?.map(({ name }) => name)).toContain("key");
  });

  test("is asked for the app's part at the first request, and again where that failed", async () => {
    let asked = 0;
    const { send, faults } = await startHttp({
      openapi: async () => {
        asked += 1;
        if (asked === 1) throw new Error("not there yet");
        return BOATS;
      },
    });
    expect(asked).toBe(0);
    expect((await send("GET", PATH)).status).toBe(500);
    expect(faults).toHaveLength(1);
    for (const _ of [1, 2]) {
      const answer = await send("GET", PATH);
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      const document = (await answer.json()) as unknown as typeof contract.document;
      expect(document.info.title).toBe("Boats");
      expect(document.paths["/api/boats/{id}"]?.get?.responses[409]?.description).toContain("boat_hired");
    }
    expect(asked).toBe(2);
  });

  test.each([
    ["a path that is described already", { ...BOATS, paths: { "/api/healthz": {} } }],
    ["a code that nobody knows", { ...BOATS, problems: {} }],
  ])("an app cannot add %s", async (_, part) => {
    const { send, faults } = await startHttp({ openapi: () => part });
    expect((await send("GET", PATH)).status).toBe(500);
    expect(faults[0]).toBeInstanceOf(RangeError);
  });
});

describe("its examples are no errors", () => {
  // A browser alone can ask for a device key: its proof is no example.
  const examples = exampleRequests(contract).filter(({ name }) => !name.includes("/device/"));
  test.each(examples)("$name", async ({ request, scheme }) => {
    const { signIn, answerFor, handlers } = await startHttp({
      metrics: METRICS,
      introspectionClients: [CLIENT],
    });
    const key = createWalletKeypair();
    const tokens: Answer = await signIn(key);
    const live = {
      ...(await answerFor(key)),
      refresh_token: tokens.refresh_token,
      token: tokens.refresh_token,
      id: tokens.session_id,
    };
    const authorizations: Record<string, string> = {
      accessToken: `Bearer ${tokens.access_token}`,
      metricsToken: `Bearer ${METRICS.token}`,
      client: `Basic ${btoa(`${CLIENT.id}:${CLIENT.secret}`)}`,
    };
    const authorization = authorizations[scheme ?? ""];
    const sent = request(
      "https://pay.example.com",
      live,
      authorization === undefined ? {} : { Authorization: authorization },
    );
    const answer = await handlers.fetch(sent);
    expect(answer.status).toBeLessThan(400);
    await answer.body?.cancel();
  });
});

describe("an answer that is not as documented is found:", () => {
  const json = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
    status,
    headers: new Headers({ "Content-Type": "application/json", "X-Request-Id": "a-request", ...headers }),
    text: JSON.stringify(body),
  });
  const problem = { type: "urn:x", title: "X", status: 404, detail: "X.", code: "not_found", error: "X." };

  test.each([
    ["an endpoint", "GET", "/api/auth/nothing", json(200, {}), "yet not not_found"],
    ["a method", "POST", "/api/healthz", json(200, { status: "alive" }), "method_not_allowed"],
    ["a status", "GET", "/api/healthz", json(201, { status: "alive" }), "status is not documented"],
    ["a type", "GET", "/api/healthz", json(200, {}, { "Content-Type": "text/html" }), "text/html is not"],
    ["a member more", "GET", "/api/healthz", json(200, { status: "alive", pid: 7 }), "unevaluated"],
    ["a member less", "GET", "/api/healthz", json(200, {}), "required property 'status'"],
    ["a value", "GET", "/api/healthz", json(200, { status: "dead" }), "constant"],
    ["a body", "DELETE", "/api/auth/sessions/x", json(204, {}), "body of application/json"],
    [
      "a header",
      "GET",
      "/api/auth/refresh",
      { status: 303, headers: new Headers(), text: "" },
      "no Location",
    ],
    ["a code", "GET", "/api/auth/wallet", json(400, { ...problem, status: 400 }), "allowed values"],
    ["an unknown code", "GET", "/api/nowhere", json(404, { ...problem, code: "gone" }), "not not_found"],
  ])("%s", (_, method, path, answered, why) => {
    expect(() => contract.check(method, path, answered)).toThrow(why);
  });

  test("and no other", () => {
    contract.check("GET", "/api/healthz/", json(200, { status: "alive" }));
    contract.check("GET", "/api/nowhere", json(404, problem));
    contract.check("OPTIONS", "/api/healthz", { status: 204, headers: new Headers(), text: "" });
  });

  test("by the fixture of the HTTP tests", async () => {
    const { wallet } = await startHttp();
    const other = { ...wallet, challenge: async () => ({ transaction: 7, network_passphrase: "x" }) };
    const { send } = await startHttp({ wallet: other as unknown as typeof wallet });
    await expect(send("GET", "/api/auth/wallet")).rejects.toThrow(
      "Not as documented: GET /api/auth/wallet, 200",
    );
  });
});
