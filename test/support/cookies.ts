import { cookieNames } from "../../packages/wallet-session/src/cookie-names.ts";

/** Of every server under test, unless its settings say otherwise: by default the port would be in the names of the cookies. */
export const COOKIE_NAME = "ws";

export const {
  access: ACCESS_COOKIE,
  refresh: REFRESH_COOKIE,
  session: SESSION_COOKIE,
  retry: RETRY_COOKIE,
} = cookieNames(COOKIE_NAME);
