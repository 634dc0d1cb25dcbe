import { routes } from "wallet-session/next";
import { appRoute, demoWalletAllowed, sessions } from "@/app/lib/auth";
import { endProcess, isSupervised } from "@/app/lib/supervisor";

const lab = appRoute("/api/lab/server", {
  /** Which process answers. */
  GET: async (request) => {
    await sessions.handlers.guard(request);
    return answer(200);
  },
  /** Ends this process, where a supervisor starts another one in its place. */
  POST: async (request) => {
    if (!isSupervised()) return sessions.handlers.notFound(request);
    await sessions.handlers.guard(request, { fresh: true });
    endProcess();
    return answer(202);
  },
});

/** In development only. In production it answers `not_found` to every method. */
export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = routes((request) =>
  demoWalletAllowed() ? lab.GET(request) : sessions.handlers.notFound(request),
);

function answer(status: 200 | 202): Response {
  return Response.json({ process_id: process.pid }, { status, headers: { "Cache-Control": "no-store" } });
}
