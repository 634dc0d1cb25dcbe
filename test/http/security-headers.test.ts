// What every answer says to browsers, by the app and by `serve`; and what strangers can write into the app's log.
import { request } from "node:http";
import { describe, expect, test } from "vitest";
import { startServe } from "../support/app-server.ts";
import { type App, appUnderTest } from "../support/app-under-test.ts";
import { NAVIGATION } from "../support/page-load.ts";

const SETTINGS = { PUBLIC_URL: "https://pay.example.com" };
const app = appUnderTest(() => SETTINGS);
const bare = appUnderTest(() => SETTINGS, startServe);
const local = appUnderTest();

const EVERYWHERE = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
  "referrer-policy": "same-origin",
  "strict-transport-security": "max-age=31536000",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

async function headersOf({ server }: App, path: string, headers = {}) {
  const response = await fetch(new URL(path, server.address), { headers, redirect: "manual" });
  await response.body?.cancel();
  return Object.fromEntries(response.headers);
}

describe.each([
  ["the app", app, ["/favicon.ico", "/_next/static/none.js", "/_next/image?url=%2Ffavicon.ico&w=64&q=75"]],
  ["serve", bare, []],
] as const)("each answer of %s", (_, service, files) => {
  const paths = ["/api/healthz", "/api/auth/session", "/api/auth/refresh?next=/", "/.well-known/jwks.json"];
  test.each([...paths, "/api/nowhere", ...files])("%s", async (path) => {
    const headers = await headersOf(service, path);
    expect(headers).toMatchObject(EVERYWHERE);
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
  });
});

test("without TLS, browsers are told nothing of it", async () => {
  expect(await headersOf(local, "/api/healthz")).not.toHaveProperty("strict-transport-security");
});

describe("a page of the app", () => {
  test.each(["/", "/sign-in", "/nowhere"])("%s runs the scripts of its nonce alone", async (path) => {
    const response = await fetch(new URL(path, app.server.address), { headers: NAVIGATION });
    expect(Object.fromEntries(response.headers)).toMatchObject(EVERYWHERE);
    const policy = response.headers.get("content-security-policy") ?? "";
    const [, nonce] = /; script-src 'self' 'nonce-([A-Za-z0-9+/=]{32,})';/.exec(policy) ?? [];
    const scripts = (await response.text()).match(/<script[^>]*>/g) ?? [];
    expect(scripts.length).toBeGreaterThan(3);
    expect(scripts.filter((script) => !script.includes(`nonce="${nonce}"`))).toEqual([]);
    const again = await fetch(new URL(path, app.server.address), { headers: NAVIGATION });
    expect(again.headers.get("content-security-policy")).not.toBe(policy);
    await again.body?.cancel();
  });

  test("takes no policy from the request", async () => {
    const planted = { "Content-Security-Policy": "script-src 'nonce-planted'" };
    const response = await fetch(new URL("/sign-in", app.server.address), {
      headers: { ...NAVIGATION, ...planted },
    });
    expect(await response.text()).not.toContain("planted");
  });
});

/** As no `fetch` sends it. Resolves with the status. */
const send = (method: string, path: string, headers = {}) =>
  new Promise<number | undefined>((resolve, reject) => {
    const { hostname, port } = new URL(app.server.address);
    request({ hostname, port, method, path, headers }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode));
    })
      .once("error", reject)
      .end();
  });

test.each([
  ["TRACE of a route", (_: number) => send("TRACE", "/api/healthz")],
  ["OPTIONS *", (_: number) => send("OPTIONS", "*")],
  ["a server action that is none", (n: number) => send("POST", "/sign-in", { "Next-Action": `none-${n}` })],
  [
    "a server action of an older version",
    (n: number) => send("POST", "/sign-in", { "Next-Action": String(n).padStart(42, "a") }),
  ],
  [
    "a form of a server action",
    (_: number) => send("POST", "/sign-in", { "Content-Type": "multipart/form-data; boundary=x" }),
  ],
])("a flood of %s fills no log", async (_, ask) => {
  const before = app.server.output().length;
  for (let sent = 0; sent < 600; sent++) await ask(sent);
  // 50 lines of up to 400 characters in ten seconds, and the second ten may have begun.
  expect(app.server.output().length - before).toBeLessThan(2 * 50 * 400);
});
