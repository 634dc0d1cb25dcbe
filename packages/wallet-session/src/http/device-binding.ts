import type { SessionRecord } from "../store.ts";
import type { HttpContext } from "./context.ts";

/**
 * `Secure-Session-Registration`, for the answer that has just given the session its tokens; null where it has a key or needs none.
 * Each one makes a browser generate a key, so it goes with new tokens alone.
 */
export function registrationOffer(
  { engine, deviceBinding, paths }: Pick<HttpContext, "engine" | "deviceBinding" | "paths">,
  session: SessionRecord,
): string | null {
  const challenge = deviceBinding === "off" ? null : engine.registrationChallenge(session);
  return challenge && `(ES256);path="${paths.deviceRegister}";challenge="${challenge}"`;
}

export function offerRegistration(answer: Response, offer: string | null): Response {
  if (offer !== null) answer.headers.set("Secure-Session-Registration", offer);
  return answer;
}

/** `Secure-Session-Challenge`: what the browser signs next with the key of that name. */
export function challengeFor(deviceId: string, challenge: string): string {
  return `"${challenge}";id="${deviceId}"`;
}

/**
 * What a browser is told of the session that it has registered (DBSC, "JSON Session Instruction Format"): with which cookie
 * requests to this origin go, and where to get it. `scope.origin` is by default the one that answers.
 */
export function sessionInstructions({ cookies, paths }: HttpContext, deviceId: string) {
  return {
    session_identifier: deviceId,
    refresh_url: paths.deviceRefresh,
    scope: {
      include_site: false,
      // A refresh beside them could bring the earlier session's cookies after theirs, and neither needs the access cookie.
      scope_specification: [paths.wallet, paths.logout].map((path) => ({
        type: "exclude",
        domain: "*",
        path,
      })),
    },
    credentials: [{ type: "cookie", name: cookies.names.access, attributes: cookies.accessAttributes }],
  };
}
