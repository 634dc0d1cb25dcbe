import type { StreamFilter } from "./stream-data.ts";

/** The address of the list with a filter. */
export function streamsPath({ status, role }: StreamFilter): string {
  const query = new URLSearchParams();
  if (status !== null) query.set("status", status);
  if (role !== null) query.set("role", role);
  return query.size === 0 ? "/streams" : `/streams?${query}`;
}
