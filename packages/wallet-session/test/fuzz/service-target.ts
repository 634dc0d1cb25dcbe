import { SECRET } from "../../src/engine/engine.fixture.ts";
import { createRequest, startHttp } from "../../src/http/http.fixture.ts";
import { writeRefreshToken } from "../../src/tokens/refresh-token.ts";
import { createKeyring } from "../../src/tokens/secrets.ts";
import { sessionId } from "./forge.ts";
import type { Target } from "./fuzz.ts";
import { must, textOf } from "./oracle.ts";

const http = await startHttp({ deviceBinding: "offer" });
const { access_token } = await http.signIn();
/** Authentic, of no session that there is: it comes past the MAC, and ends nothing. */
const refreshToken = writeRefreshToken(createKeyring([SECRET]).signing, {
  sessionId,
  generation: 1,
  secret: Buffer.alloc(32, 1),
});
const PLACES: readonly string[] = [
  "GET /api/auth/wallet?account=G",
  "POST /api/auth/wallet",
  "GET /api/auth/refresh?next=/a",
  "POST /api/auth/refresh",
  "POST /api/auth/logout",
  "GET /api/auth/session",
  "GET /api/auth/sessions",
  "DELETE /api/auth/sessions?scope=others",
  "DELETE /api/auth/sessions/3vQ0m1Yc8t2Gk5sXjar1QQ",
  "GET /api/auth/events",
  "POST /api/auth/token",
  "POST /api/auth/revoke",
  "POST /api/auth/device/register",
  "POST /api/auth/device/refresh",
];
const HEADERS = [
  "Authorization: Bearer {access}",
  "Authorization: DPoP {access}",
  "Last-Event-ID: 12",
  'Idempotency-Key: "a-key-that-is-long-enough"',
  "Session-Transport: cookie",
  "Sec-Fetch-Site: same-origin",
  "Sec-Fetch-Dest: document",
  "Secure-Session-Response: x",
  "Sec-Secure-Session-Id: x",
  "Content-Type: application/json",
  "Content-Type: application/x-www-form-urlencoded",
  "Cookie: __Host-ws_access={access}; __Secure-ws_refresh={refresh}; __Host-ws_retry=a",
];

/** Whole requests: a line of method and target, header lines, an empty line, the body. `{access}` and `{refresh}` stand for tokens. */
const service: Target = {
  name: "service",
  // Of a header that comes twice the last one counts.
  seeds: PLACES.flatMap((place) =>
    [HEADERS.slice(0, 1), HEADERS.slice(2, 11), HEADERS.slice(2)].map(
      (lines) => `${place}\n${lines.join("\n")}\n\n{"refresh_token":"{refresh}"}`,
    ),
  ),
  words: [
    ...PLACES,
    ...HEADERS.map((line) => `\n${line}`),
    "\n",
    "\n\n",
    "{access}",
    "{refresh}",
    "{",
    '"',
    "&",
    "=",
    "%",
    "/",
  ],
  maxBytes: 2_000,
  async run(input) {
    const text = textOf(input).replaceAll("{access}", access_token).replaceAll("{refresh}", refreshToken);
    const [head = "", ...body] = text.split("\n\n");
    const [line = "", ...lines] = head.split("\n");
    const [method = "", path = ""] = line.split(" ");
    const headers: Record<string, string> = {};
    for (const one of lines) headers[one.split(":", 1)[0] ?? ""] = one.slice(one.indexOf(":") + 1).trim();
    let request: Request;
    try {
      const sent =
        body.length > 0 && !/^(?:GET|HEAD)$/i.test(method)
          ? { body: Buffer.from(body.join("\n\n"), "latin1") }
          : {};
      request = createRequest(method, `/${path.replace(/^\/*/, "")}`, { headers, ...sent });
    } catch {
      return "no request";
    }
    const before = await http.store.snapshot();
    // Rejects where the answer is none that the OpenAPI document knows.
    const answer = await http.handlers.fetch(request);
    const told = answer.status >= 400 ? await answer.text() : "";
    await answer.body?.cancel().catch(() => {});
    must(
      answer.status < 500 && http.faults.length === 0,
      `fail for nothing (${answer.status} ${http.faults})`,
    );
    must(answer.status < 400 || before === (await http.store.snapshot()), "change nothing that it refuses");
    return `${answer.status} ${/"code":"(\w+)"/.exec(told)?.[1]}`;
  },
};

export const SERVICE_TARGETS = [service];
