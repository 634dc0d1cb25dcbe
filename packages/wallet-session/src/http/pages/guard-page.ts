import type { AuthenticatedSession } from "../../engine/session-engine.ts";
import type { HttpContext } from "../context.ts";
import { isGuardRefusal } from "../problem.ts";
import { authenticateRequest } from "../request/credentials.ts";
import { bounceRedirect, type SignInPath } from "./bounce-redirect.ts";
import { isPageLoad } from "./page-load.ts";

export interface GuardPageOptions extends SignInPath {
  readonly fresh?: boolean;
}

/** The session of a page load, or the redirect that finds out. A prefetch is refused as on any other route. */
export async function guardPage(
  context: Pick<HttpContext, "engine" | "publicUrl">,
  request: Request,
  options: GuardPageOptions,
): Promise<AuthenticatedSession | Response> {
  try {
    return (await authenticateRequest(context, request, options)).session;
  } catch (error) {
    if (isPageLoad(request) && isGuardRefusal(error)) return bounceRedirect(request, options);
    throw error;
  }
}
