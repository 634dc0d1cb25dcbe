import { routes } from "wallet-session/next";
import { demoWalletAllowed, sessions } from "@/app/lib/auth";
import { endProcess, isSupervised } from "@/app/lib/supervisor";

/** In development only. In production it answers `not_found` to every method. */
export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = routes((request) => {
  const { endpoint, notFound } = sessions.handlers;
  const methods = { GET: getProcess, POST: postEnd };
  const handler = demoWalletAllowed() ? endpoint("/api/lab/server", methods, { answers: "json" }) : notFound;
  return handler(request);
});

/** Which process answers. */
async function getProcess(request: Request): Promise<Response> {
  await sessions.handlers.guard(request);
  return answer(200);
}

/** Ends this process, where a supervisor starts another one in its place. */
async function postEnd(request: Request): Promise<Response> {
  if (!isSupervised()) return sessions.handlers.notFound(request);
  await sessions.handlers.guard(request, { fresh: true });
  endProcess();
  return answer(202);
}

function answer(status: 200 | 202): Response {
  return Response.json({ process_id: process.pid }, { status, headers: { "Cache-Control": "no-store" } });
}
