import { routes } from "wallet-session/next";
import { appRoute, demoWalletAllowed, guard, route } from "@/app/lib/auth";
import { endProcess, isSupervised } from "@/app/lib/supervisor";

const lab = appRoute("/api/lab/server", {
  /** Which process answers. */
  GET: async (request) => {
    await guard(request);
    return answer(200);
  },
  /** Ends this process, where another one is then started in its place. */
  POST: async (request) => {
    if (!isSupervised()) return notThere.POST(request);
    await guard(request, { fresh: true });
    endProcess();
    return answer(202);
  },
});

const notThere = route("notFound");

/** In development alone; in production this answers to every method as what is not there. */
export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = routes((request) =>
  demoWalletAllowed() ? lab.GET(request) : notThere.GET(request),
);

function answer(status: 200 | 202): Response {
  return Response.json({ process_id: process.pid }, { status, headers: { "Cache-Control": "no-store" } });
}
