// What an app builds its own routes of: an endpoint, a guard, strict bodies, problems with codes of its own.
import { expect, test, vi } from "vitest";
import { ProblemError, SessionError } from "../errors.ts";
import { problemOf, startHttp } from "./http.fixture.ts";
import { readJsonBody, textMember } from "./request/body.ts";

const URL = "https://app.example/api/boats";
const SUNK = { type: "urn:app:problem:sunk", code: "sunk", status: 409, title: "The boat has sunk" };

test("a problem of the app is answered as the engine's are, and is no fault", async () => {
  const { handlers, faults } = await startHttp();
  const refuse = () =>
    Promise.reject(new ProblemError(SUNK, "The boat went down.", { cause: new Error("ice") }));
  const boats = handlers.endpoint("/api/boats", { POST: refuse });
  const response = await boats(new Request(URL, { method: "POST" }));
  expect(response.status).toBe(409);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("www-authenticate")).toBeNull();
  expect(await response.json()).toEqual({
    ...SUNK,
    detail: "The boat went down.",
    error: "The boat went down.",
  });
  expect(faults).toEqual([]);
  expect(handlers.problem(new ProblemError(SUNK, "Gone.")).status).toBe(409);
});

test("a fault of the app is reported, and says when to try again", async () => {
  const { handlers, faults } = await startHttp();
  const fault = new ProblemError({ ...SUNK, status: 503, code: "fog" }, "No sight.", {
    retryAfterSeconds: 7,
  });
  const fail = () => Promise.reject(fault);
  const boats = handlers.endpoint("/api/boats", { GET: fail });
  const response = await boats(new Request(URL));
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "7"]);
  expect(faults).toEqual([fault]);
});

test("every method is answered, other origins are not invited, and other exceptions are 500", async () => {
  const { handlers, faults } = await startHttp();
  const fail = () => Promise.reject(new TypeError("a secret"));
  const boats = handlers.endpoint("/api/boats", { GET: fail });
  const wrong = await boats(new Request(URL, { method: "PUT" }));
  expect([wrong.headers.get("allow"), await problemOf(wrong)]).toEqual([
    "GET, HEAD, OPTIONS",
    "405 method_not_allowed",
  ]);
  const broken = await boats(new Request(URL));
  expect(broken.headers.get("access-control-allow-origin")).toBeNull();
  expect(await broken.clone().text()).not.toContain("secret");
  expect(await problemOf(broken)).toBe("500 internal_error");
  expect(faults).toHaveLength(1);
});

test("a handler gets the parameters of its route's template, undecoded, also below a prefix", async () => {
  const { handlers } = await startHttp();
  const oars = handlers.endpoint("/api/boats/{boat}/oars/{oar}", {
    GET: async (_, { boat, oar }) => Response.json([boat, oar]),
  });
  const read = async (path: string) => (await oars(new Request(`https://app.example${path}`))).json();
  expect(await read("/api/boats/fram/oars/7?boat=maud")).toEqual(["fram", "7"]);
  expect(await read("/shop/api/boats/f%2Fm/oars/%00")).toEqual(["f%2Fm", "%00"]);
  expect(await read("/7")).toEqual(["", "7"]);
});

test("an endpoint that answers with JSON refuses requests that take none, before its handler sees them", async () => {
  const { handlers } = await startHttp();
  const seen: string[] = [];
  const read = async ({ url }: Request) => {
    seen.push(url);
    return Response.json("Fram");
  };
  const page = { headers: { Accept: "text/html" } };
  const json = handlers.endpoint("/api/boats", { GET: read }, { answers: "json" });
  expect(await problemOf(await json(new Request(URL, page)))).toBe("406 not_acceptable");
  expect(seen).toEqual([]);
  expect((await json(new Request(URL))).status).toBe(200);
  const any = handlers.endpoint("/api/boats", { GET: read });
  expect((await any(new Request(URL, page))).status).toBe(200);
});

test("bodies of JSON alone: a form is no such thing", async () => {
  const { handlers } = await startHttp();
  const name = async (request: Request) => Response.json(textMember(await readJsonBody(request, 64), "name"));
  const boats = handlers.endpoint("/api/boats", { POST: name });
  const post = (body: string, type: string) =>
    boats(new Request(URL, { method: "POST", body, headers: { "Content-Type": type } }));
  expect(await (await post('{"name":"Fram"}', "application/json")).json()).toBe("Fram");
  expect(await problemOf(await post("name=Fram", "application/x-www-form-urlencoded"))).toBe(
    "415 unsupported_media_type",
  );
  expect(await problemOf(await post('{"name":"Fram","name":"Maud"}', "application/json"))).toBe(
    "400 invalid_request",
  );
  expect(await problemOf(await post(JSON.stringify({ name: "x".repeat(64) }), "application/json"))).toBe(
    "413 body_too_large",
  );
});

test("errors of another copy of the package, as bundlers make them, are known all the same", async () => {
  const { handlers, faults } = await startHttp();
  vi.resetModules();
  const errors = await import("../errors.ts");
  expect(errors.SessionError).not.toBe(SessionError);
  expect(errors.ProblemError).not.toBe(ProblemError);
  expect(handlers.problem(new errors.ProblemError(SUNK, "Gone.")).status).toBe(409);
  expect(handlers.problem(new errors.SessionError("not_found", "None.")).status).toBe(404);
  expect(faults).toEqual([]);
  for (const other of [null, undefined, "text", {}, new Error("x")]) {
    expect([other instanceof SessionError, other instanceof ProblemError]).toEqual([false, false]);
  }
});
