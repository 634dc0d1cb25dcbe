/** The names of the store's keys. All have one hash tag, so that in a cluster they are all in one slot, on one node. */
export function createKeys(name: string) {
  const prefix = `{${name}}:`;
  const of = (kind: string, rest: Uint8Array) => Buffer.concat([Buffer.from(`${prefix}${kind}:`), rest]);
  return {
    /** What all names begin with; the scripts add the rest where it depends on a row. */
    prefix,
    /** A session's row, by the 16 bytes of its id. */
    session: (id: Uint8Array) => of("s", id),
    /** Sorted sets of session ids: an actor's sessions by creation, and those that a reuse has ended by that time. */
    actor: (actorId: string) => of("a", Buffer.from(actorId)),
    endedByReuse: (actorId: string) => of("r", Buffer.from(actorId)),
    /** Sorted sets of session ids: what is not revoked by its absolute end; all by when `prune` looks at them. */
    ends: `${prefix}ends`,
    examine: `${prefix}examine`,
    /** Sorted set of challenge ids, by when their mark can go. */
    challenges: `${prefix}challenges`,
    /** Sorted set of session ids, by when a proof of theirs failed last. */
    proofFailures: `${prefix}proof-failures`,
    /** The last position that was given. */
    position: `${prefix}position`,
    /** Sorted sets of the same entries, by position and by time. */
    log: `${prefix}log`,
    logByTime: `${prefix}log-by-time`,
    events: `${prefix}events`,
    eventsByTime: `${prefix}events-by-time`,
    /** Who delivers the events, and until when. Under its first name, so that older processes find it. */
    deliveryClaim: `${prefix}lease`,
    /** List of signing keys, oldest first. */
    signingKeys: `${prefix}signing-keys`,
    /** The channel that says that something was appended to the log. */
    wake: `${prefix}wake`,
  };
}
