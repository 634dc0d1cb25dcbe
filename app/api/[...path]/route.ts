import type { Handler, MethodHandlers, RouteParameters } from "wallet-session/http";
import { routes } from "wallet-session/next";
import { sessions } from "@/app/lib/auth";
import * as operations from "@/app/lib/operations/handlers";
import * as streams from "@/app/lib/streams/handlers";
import { STREAM_COMMANDS } from "@/app/lib/streams/transitions";

/** The app's own endpoints. */
const endpoints = [
  endpoint("/api/events", { GET: streams.getEvents }, "any"),
  endpoint("/api/streams", { GET: streams.getStreams, POST: streams.postStream }),
  endpoint("/api/streams/{id}", { GET: streams.getStream }),
  endpoint("/api/streams/{id}/events", { GET: streams.getStreamEvents }, "any"),
  ...STREAM_COMMANDS.map((command) =>
    endpoint(`/api/streams/{id}/${command}`, { POST: streams.postCommand(command) }),
  ),
  endpoint("/api/operations", { GET: operations.getOperations, POST: operations.postOperation }),
  endpoint("/api/operations/{id}", { GET: operations.getOperation }),
  endpoint("/api/operations/{id}/events", { GET: operations.getOperationEvents }, "any"),
  endpoint("/api/operations/{id}/resume", { POST: operations.postResume }),
  endpoint("/api/operations/{id}/cancel", { POST: operations.postCancel }),
];

/** The app's own endpoints, then the sessions' that have no file of their own. Any other address is `not_found`. */
export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = routes((request) => {
  const { pathname } = new URL(request.url);
  const own = endpoints.find(({ path }) => path.test(pathname));
  return own === undefined ? sessions.fetch(request) : own.handle(request);
});

/** By the template of its path. A request that takes no JSON is refused, unless `answers` is `any`. Made at first use. */
function endpoint<Path extends string>(
  template: Path,
  methods: MethodHandlers<RouteParameters<Path>>,
  answers: "json" | "any" = "json",
) {
  let handler: Handler | undefined;
  return {
    path: new RegExp(`^${template.replace("{id}", "[^/]+")}$`),
    handle(request: Request): Promise<Response> {
      handler ??= sessions.handlers.endpoint(template, methods, { answers });
      return handler(request);
    },
  };
}
