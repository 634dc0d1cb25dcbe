import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { bearer, get, post, signedIn } from "../../auth/routes.fixture.ts";
import { DELETE, GET, POST } from "./route.ts";

const exit = vi.spyOn(process, "exit").mockReturnValue(undefined as never);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  process.env.LAB_RESTART_EXIT_CODE = "75";
});

afterEach(() => {
  vi.useRealTimers();
  exit.mockClear();
  delete process.env.LAB_RESTART_EXIT_CODE;
});

const codeOf = async (response: Response) => [response.status, (await response.json()).code];

test("tells which process answers, to who is signed in", async () => {
  const { access_token } = await signedIn();
  const response = await GET(get("/api/lab/server", bearer(access_token)));
  expect([response.status, await response.json()]).toEqual([200, { process_id: process.pid }]);
  expect(await codeOf(await GET(get("/api/lab/server")))).toEqual([401, "access_token_missing"]);
});

test("ends the process once it has said so, with the code that starts it again", async () => {
  const { access_token } = await signedIn();
  const response = await POST(post("/api/lab/server", {}, bearer(access_token)));
  expect([response.status, await response.json()]).toEqual([202, { process_id: process.pid }]);
  expect(exit).not.toHaveBeenCalled();
  vi.runAllTimers();
  expect(exit).toHaveBeenCalledExactlyOnceWith(75);
});

test("ends nothing for those who are not signed in", async () => {
  expect(await codeOf(await POST(post("/api/lab/server", {})))).toEqual([401, "access_token_missing"]);
  vi.runAllTimers();
  expect(exit).not.toHaveBeenCalled();
});

test("ends nothing where nobody would start it again", async () => {
  delete process.env.LAB_RESTART_EXIT_CODE;
  const { access_token } = await signedIn();
  const response = await POST(post("/api/lab/server", {}, bearer(access_token)));
  expect(await codeOf(response)).toEqual([404, "not_found"]);
  vi.runAllTimers();
  expect(exit).not.toHaveBeenCalled();
});

test("knows no other methods", async () => {
  const { access_token } = await signedIn();
  const response = await DELETE(get("/api/lab/server", bearer(access_token), "DELETE"));
  expect(await codeOf(response)).toEqual([405, "method_not_allowed"]);
});
