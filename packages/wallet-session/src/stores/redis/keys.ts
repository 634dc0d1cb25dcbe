/** The names of the store's keys. All have one hash tag, so that in a cluster they are all in one slot, on one node. */
export interface Keys {
  /** What all names begin with; the scripts add the rest where it depends on a row. */
  readonly prefix: string;
  /** A session's row, by the 16 bytes of its id. */
  session(id: Uint8Array): Buffer;
  /** Sorted sets of session ids: an actor's sessions by creation, and those that a reuse has ended by that time. */
  actor(actorId: string): Buffer;
  endedByReuse(actorId: string): Buffer;
  /** Sorted sets of session ids: what is not revoked by its absolute end; all by when `prune` looks at them. */
  readonly ends: string;
  readonly examine: string;
  /** Sorted set of challenge ids, by when their mark can go. */
  readonly challenges: string;
  /** The last position that was given. */
  readonly position: string;
  /** Sorted sets of the same entries, by position and by time. */
  readonly log: string;
  readonly logByTime: string;
  readonly events: string;
  readonly eventsByTime: string;
  /** Who delivers the events, and until when. */
  readonly deliveryClaim: string;
  /** List of signing keys, oldest first. */
  readonly signingKeys: string;
  /** The channel that says that something was appended to the log. */
  readonly wake: string;
}

export function createKeys(name: string): Keys {
  const prefix = `{${name}}:`;
  const of = (kind: string, rest: Uint8Array) => Buffer.concat([Buffer.from(`${prefix}${kind}:`), rest]);
  return {
    prefix,
    session: (id) => of("s", id),
    actor: (actorId) => of("a", Buffer.from(actorId)),
    endedByReuse: (actorId) => of("r", Buffer.from(actorId)),
    ends: `${prefix}ends`,
    examine: `${prefix}examine`,
    challenges: `${prefix}challenges`,
    position: `${prefix}position`,
    log: `${prefix}log`,
    logByTime: `${prefix}log-by-time`,
    events: `${prefix}events`,
    eventsByTime: `${prefix}events-by-time`,
    // Under its first name, so that older processes find it.
    deliveryClaim: `${prefix}lease`,
    signingKeys: `${prefix}signing-keys`,
    wake: `${prefix}wake`,
  };
}
