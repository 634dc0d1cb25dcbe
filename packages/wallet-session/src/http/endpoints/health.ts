import { SessionError } from "../../errors.ts";
import type { HttpContext } from "../context.ts";
import type { Handler } from "../handler.ts";
import { privateJson } from "../response.ts";

/** `GET /api/healthz`: the process answers. Says nothing of what it depends on, so a store's outage restarts nobody. */
export function healthz(): Handler {
  return async () => privateJson({ status: "alive" });
}

/** `GET /api/readyz`: the store answers and revocations of other nodes arrive, and so does what else the app stands on. */
export function readyz({ engine, ready }: HttpContext): Handler {
  return async () => {
    const [{ store, revocations }] = await Promise.all([engine.getReadiness(), ready()]);
    if (!store) throw new SessionError("store_unavailable", "The session store does not answer.");
    if (!revocations)
      throw new SessionError("store_unavailable", "The view of the revocations is out of date.");
    return privateJson({ status: "ready", store, revocations });
  };
}
