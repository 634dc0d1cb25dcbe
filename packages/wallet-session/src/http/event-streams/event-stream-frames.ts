/** One event for an event stream, or the place in it alone, which a client notes without having an event. */
export type ServerEvent =
  | {
      /** Where a client that comes back goes on from, as `Last-Event-ID`. Without one, the client keeps the last it has. */
      readonly id?: string;
      readonly event: string;
      /** Goes out as JSON. */
      readonly data: unknown;
    }
  | { readonly id: string; readonly event?: never; readonly data?: never };

/** Bytes on the wire that keep the connection from being taken for dead, and that no client sees. */
export const HEARTBEAT = ":\n\n";

/** The first frame: how long the client waits before it connects again. */
export function retryFrame(retryMs: number): string {
  return `retry: ${retryMs}\n\n`;
}

/**
 * One event in the format of the HTML standard (§9.2.5). JSON has no line ends of its own, so the data is one line.
 * @throws TypeError for an id or a name that would break the format, and for data that JSON does not know
 */
export function eventFrame({ id, event, data }: ServerEvent): string {
  const idLine = id === undefined ? "" : `id: ${oneLine(id)}\n`;
  if (event === undefined) return `${idLine}\n`;
  const json = JSON.stringify(data);
  if (json === undefined) throw new TypeError("The data of an event must be something that JSON knows.");
  return `${idLine}event: ${oneLine(event)}\ndata: ${json}\n\n`;
}

/** A line end would start a field of its own; an id with a NUL is ignored by clients. */
function oneLine(value: string): string {
  if (/[\r\n\0]/.test(value))
    throw new TypeError("The id and the name of an event are one line, without NUL.");
  return value;
}
