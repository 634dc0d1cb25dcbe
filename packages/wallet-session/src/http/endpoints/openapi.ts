import type { ApiPart } from "../../openapi/document.ts";
import type { SessionsApi } from "../../openapi/sessions-api.ts";
import { untilDone } from "../../until-done.ts";
import type { HttpContext } from "../context.ts";
import type { Handler } from "../handler.ts";
import { publicJson } from "../response.ts";

/** `GET /api/openapi.json`: the OpenAPI document of what is configured. It is loaded and written at the first request. */
export function openapi(
  { paths, wallet, cookies, publicUrl }: HttpContext,
  configured: Pick<SessionsApi, "sitePaths" | "hasMetrics" | "hasClients">,
  ofApp: () => ApiPart | Promise<ApiPart>,
): Handler {
  const written = untilDone(async () => {
    const [{ openApiDocument }, { sessionsApi }, appPart] = await Promise.all([
      import("../../openapi/document.ts"),
      import("../../openapi/sessions-api.ts"),
      ofApp(),
    ]);
    const options = { origin: publicUrl.origin, cookieNames: cookies.names };
    const own = sessionsApi({ paths, wallet, ...configured });
    return JSON.stringify(openApiDocument(options, [own, appPart]));
  });
  return async () => publicJson(await written());
}
