/** A time in epoch milliseconds as the API tells it. */
export function isoTime(ms: number | bigint): string {
  return new Date(Number(ms)).toISOString();
}

export function isoTimeOrNull(ms: number | bigint | null): string | null {
  return ms === null ? null : isoTime(ms);
}
