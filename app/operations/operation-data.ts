import type { SessionClient } from "wallet-session/client";
import { change, read } from "../components/request.ts";
import type { OperationJson } from "../lib/operations/operation.ts";
import type { Failure, OperationStatus } from "../lib/operations/tables.ts";

export type { Failure, OperationStatus };

/** A long operation as the API tells it (docs/api.md). */
export type Operation = OperationJson;

/** @throws SessionClientError */
export function readOperation(client: SessionClient, id: string): Promise<Operation> {
  return read(client, operationPath(id));
}

/** Newest first. @throws SessionClientError */
export async function listOperations(client: SessionClient): Promise<readonly Operation[]> {
  const { operations } = await read<{ operations: readonly Operation[] }>(client, "/api/operations");
  return operations;
}

/** Starts settling the streams named, or every one that is under way. @throws SessionClientError */
export function settleStreams(
  client: SessionClient,
  streamIds: readonly string[] | "all",
): Promise<Operation> {
  return change(client, "/api/operations", { body: { type: "settle_streams", stream_ids: streamIds } });
}

/** @throws SessionClientError */
export function commandOperation(
  client: SessionClient,
  id: string,
  command: "resume" | "cancel",
): Promise<Operation> {
  return change(client, `${operationPath(id)}/${command}`);
}

export function isOperation(data: unknown): data is Operation {
  return typeof data === "object" && data !== null && "id" in data && "version" in data && "total" in data;
}

/** It has come to its end. */
export function isFinal({ status }: Operation): boolean {
  return status === "completed" || status === "cancelled";
}

/** It goes on by itself. */
export function isUnderWay({ status }: Operation): boolean {
  return status === "queued" || status === "running";
}

function operationPath(id: string): string {
  return `/api/operations/${encodeURIComponent(id)}`;
}
