export { fileKey } from "./node/file-key.ts";
export { fileStorage } from "./node/file-storage.ts";
export { type NodeHandler, nodeGuard, nodeHandler, nodePageGuard } from "./node/handler.ts";
export type { NodeRequest } from "./node/incoming.ts";
