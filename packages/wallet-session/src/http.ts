export { peerAddress, publishPeerAddress } from "./http/client-address.ts";
export { ACCESS_COOKIE, REFRESH_COOKIE, RETRY_COOKIE } from "./http/cookies.ts";
export type { FaultSink, Handler } from "./http/endpoint.ts";
export { createHandlers, type Handlers, type HandlersOptions } from "./http/handlers.ts";
export { safeNextPath } from "./http/next-path.ts";
