import { createHash } from "node:crypto";
import { UNREADABLE } from "../values.ts";
import { AT, LAYOUT, SWAP } from "./rows.ts";

/**
 * A step of the contract: one Lua script, which Redis runs as one. The scripts stand here as strings, not in files of their own:
 * the package is built by plain `tsc`, bundlers carry no other files along, and the offsets are those of rows.ts.
 */
export interface Script {
  readonly text: string;
  /** SHA-1 of the text, by which Redis knows it once it has seen it. */
  readonly sha: string;
  /** Acknowledged only once it is on disk, as far as the server can say so. */
  readonly durable: boolean;
  /** Sent again also where it may have been done: done twice, it leaves the same, or the caller can tell. */
  readonly repeatable: boolean;
}

/**
 * With the first line Redis checks before a script begins whether it may write at all (replica, disk, memory), so that none
 * ends in the middle.
 */
function script(flags: string, body: string, durable: boolean): Script {
  const text = `${`#!lua ${flags}`.trim()}\n${body}`;
  return { text, sha: createHash("sha1").update(text).digest("hex"), durable, repeatable: true };
}

const reads = (body: string) => script("flags=no-writes", body, false);
const writes = (body: string) => script("", body, true);
/** What ends sessions, frees memory or needs no more of it goes on where memory is full. */
const writesInFullMemory = (body: string) => script("flags=allow-oom", body, true);
/** Nobody could tell what a second time has done from what the first one did. */
const once = (step: Script): Script => ({ ...step, repeatable: false });
/** Where it is lost, it is done again by itself. */
const notDurable = (step: Script): Script => ({ ...step, durable: false });

/** Where Lua finds a part of a row or a swap: it counts from 1. */
const from = (offset: number) => offset + 1;

/** Reads rows by the offsets of rows.ts. Each script reads all that it needs before it writes. */
const ROWS = `
local function is_row(row) return #row >= ${AT.actor} and row:byte(${from(AT.layout)}) == ${LAYOUT} end
local function read(key)
  local row = redis.call('GET', key)
  if row and not is_row(row) then error('${UNREADABLE}') end
  return row
end
-- In parentheses: unpack gives the next position as well.
local function idle_end(row) return (struct.unpack('>d', row, ${from(AT.idleExpiresAt)})) end
local function absolute_end(row) return (struct.unpack('>d', row, ${from(AT.expiresAt)})) end
local function is_revoked(row) return row:byte(${from(AT.reason)}) ~= 0 end
local function is_live(row, now) return not is_revoked(row) and idle_end(row) > now and absolute_end(row) > now end
local function actor_of(row)
  return row:sub(${from(AT.actor)}, ${AT.actor} + (struct.unpack('>I4', row, ${from(AT.actorBytes)})))
end
`;

/**
 * KEYS: ends, position, log, log by time, events, events by time. ARGV: prefix, revoked at, the same as in the row, reason as
 * in the row. Marks the rows, appends to the log and to the events, and wakes the listeners: where that fails, they poll.
 */
const REVOKE = `${ROWS}
local prefix, revoked_at, written_at, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local function revoke(ids, rows)
  if #ids == 0 then return end
  local position = redis.call('INCRBY', KEYS[2], #ids) - #ids
  for i, id in ipairs(ids) do
    position = position + 1
    local actor = actor_of(rows[i])
    redis.call('SETRANGE', prefix .. 's:' .. id, ${AT.revokedAt}, written_at .. reason)
    redis.call('ZREM', KEYS[1], id)
    redis.call('ZREM', prefix .. 'a:' .. actor, id)
    if reason == '\\3' then redis.call('ZADD', prefix .. 'r:' .. actor, revoked_at, id) end
    local entry = struct.pack('>d', position) .. written_at .. reason .. id
    redis.call('ZADD', KEYS[3], position, entry)
    redis.call('ZADD', KEYS[4], revoked_at, entry)
    redis.call('ZADD', KEYS[5], position, entry .. actor)
    redis.call('ZADD', KEYS[6], revoked_at, entry .. actor)
  end
  redis.pcall('PUBLISH', prefix .. 'wake', '')
end
local function revoke_those(candidates, is_meant)
  local ids, rows = {}, {}
  for _, id in ipairs(candidates) do
    local row = read(prefix .. 's:' .. id)
    if row and is_meant(id, row) then
      ids[#ids + 1] = id
      rows[#rows + 1] = row
    end
  end
  revoke(ids, rows)
  return ids
end
`;

/** KEYS and ARGV are named above each; numbers are decimal but where they are "as in the row". */
export const SCRIPTS = {
  /**
   * KEYS: session, challenges, actor, ends, examine. ARGV: row, id, challenge, its end, created at, end, examine at.
   * 1: created; 0: the challenge was used.
   */
  createSession: writes(`if redis.call('ZSCORE', KEYS[2], ARGV[3]) then return 0 end
     if redis.call('EXISTS', KEYS[1]) == 1 then return redis.error_reply('TAKEN A session with this id exists already.') end
     redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3])
     redis.call('SET', KEYS[1], ARGV[1])
     redis.call('ZADD', KEYS[3], ARGV[5], ARGV[2])
     redis.call('ZADD', KEYS[4], ARGV[6], ARGV[2])
     redis.call('ZADD', KEYS[5], ARGV[7], ARGV[2])
     return 1`),

  /** KEYS: challenges. ARGV: challenge, its end. 1 where it was not used before. */
  consumeChallenge: once(writes("return redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1])")),

  /**
   * KEYS: sessions. ARGV: for each its swap in one piece (rows.ts). Answers for each: 1 and the row after the swap; 0 and the row
   * as it stands; nothing where there is no row; 0 and an empty row for a foreign value, which does not disturb the others.
   * A row grows at most once in its life, where it is bound to a key.
   */
  rotate: writesInFullMemory(`${ROWS}
     local function rotate(key, swap)
       local row = redis.pcall('GET', key)
       if not row then return false end
       if type(row) ~= 'string' or not is_row(row) then return {0, ''} end
       local now, idle_limit = struct.unpack('>dd', swap, ${from(SWAP.now)})
       local expected = row:sub(${from(AT.transport)}, ${AT.salt})
       local is_last = row:sub(${from(AT.generation)}, ${AT.secretHash}) == '\\255\\255\\255\\255'
       if expected ~= swap:sub(1, ${SWAP.next}) or is_last or not is_live(row, now) then return {0, row} end
       local binding_at = ${from(AT.actor)} + (struct.unpack('>I4', row, ${from(AT.actorBytes)}))
       local next_at = ${from(SWAP.binding)} + (struct.unpack('>I2', swap, ${from(SWAP.bindingBytes)}))
       local binding = swap:sub(${from(SWAP.binding)}, next_at - 1)
       local rest_at = binding_at + #binding
       if row:sub(binding_at, rest_at - 1) ~= binding then return {0, row} end
       local idle_bytes = swap:sub(${from(SWAP.idleLimit)}, ${SWAP.bindingBytes})
       if idle_limit > absolute_end(row) then idle_bytes = row:sub(${from(AT.expiresAt)}, ${AT.actorBytes}) end
       local written = swap:sub(${from(SWAP.next)}, ${SWAP.idleLimit}) .. idle_bytes
       local next_row = row:sub(1, ${AT.generation}) .. written
       if next_at > #swap then
         redis.call('SETRANGE', key, ${AT.generation}, written)
         return {1, next_row .. row:sub(${from(AT.revokedAt)})}
       end
       next_row = next_row .. row:sub(${from(AT.revokedAt)}, binding_at - 1) .. swap:sub(next_at) .. row:sub(rest_at)
       redis.call('SET', key, next_row, 'KEEPTTL')
       return {1, next_row}
     end
     local replies = {}
     for i, key in ipairs(KEYS) do replies[i] = rotate(key, ARGV[i]) end
     return replies`),

  /** KEYS: any of the store. That it may begin says that Redis takes writes which need memory. */
  ping: notDurable(writes("return redis.call('EXISTS', KEYS[1])")),

  /** KEYS: actor. ARGV: prefix, now, limit. Id, row, id, row. In pieces, since idle sessions stand among the live ones. */
  listSessions: reads(`${ROWS}
     local now, limit = tonumber(ARGV[2]), tonumber(ARGV[3])
     local found, start = {}, 0
     while #found < 2 * limit do
       local ids = redis.call('ZREVRANGE', KEYS[1], start, start + limit - 1)
       for _, id in ipairs(ids) do
         local row = read(ARGV[1] .. 's:' .. id)
         if row and is_live(row, now) and #found < 2 * limit then
           found[#found + 1] = id
           found[#found + 1] = row
         end
       end
       if #ids < limit then break end
       start = start + limit
     end
     return found`),

  /** KEYS: ended by reuse. ARGV: prefix, since, limit. Id, row, id, row. */
  endedByReuse: reads(`local found = {}
     for _, id in ipairs(redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', '(' .. ARGV[2], 'LIMIT', 0, ARGV[3])) do
       local row = redis.call('GET', ARGV[1] .. 's:' .. id)
       if row then
         found[#found + 1] = id
         found[#found + 1] = row
       end
     end
     return found`),

  /** As REVOKE, and KEYS: session; ARGV: id. 1 and the row from before where it hit, 0 and the row where not; or nothing. */
  revokeSession: writesInFullMemory(`${REVOKE}
     local row = read(KEYS[7])
     if not row then return false end
     if is_revoked(row) then return {0, row} end
     revoke({ARGV[5]}, {row})
     return {1, row}`),

  /** As REVOKE, and KEYS: actor; ARGV: the id that stays, or nothing. The ids. */
  revokeActor: once(
    writesInFullMemory(`${REVOKE}
     return revoke_those(redis.call('ZRANGE', KEYS[7], 0, -1), function(id, row)
       return id ~= ARGV[5] and is_live(row, tonumber(revoked_at))
     end)`),
  ),

  /** As REVOKE, and ARGV: limit. The ids. */
  revokeBatch: once(
    writesInFullMemory(`${REVOKE}
     local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. revoked_at, '+inf', 'LIMIT', 0, ARGV[5])
     return revoke_those(ids, function() return true end)`),
  ),

  /**
   * KEYS: proof failures, position, events, events by time. ARGV: id, time, the time after which one that is noted stands, the
   * event from behind its position on. 1 where it was noted.
   */
  noteProofFailure: once(
    writes(`local noted = redis.call('ZSCORE', KEYS[1], ARGV[1])
     if noted and tonumber(noted) > tonumber(ARGV[3]) then return 0 end
     redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
     local position = redis.call('INCRBY', KEYS[2], 1)
     local event = struct.pack('>d', position) .. ARGV[4]
     redis.call('ZADD', KEYS[3], position, event)
     redis.call('ZADD', KEYS[4], ARGV[2], event)
     return 1`),
  ),

  /** KEYS: proof failures. ARGV: ids. Id, time, id, time. */
  proofFailures: reads(`local found = {}
     for _, id in ipairs(ARGV) do
       local failed_at = redis.call('ZSCORE', KEYS[1], id)
       if failed_at then
         found[#found + 1] = id
         found[#found + 1] = tonumber(failed_at)
       end
     end
     return found`),

  /** KEYS: log, position. ARGV: after which position, limit. The entries, and the last position ever. */
  revocationsAfter:
    reads(`local entries = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', 'LIMIT', 0, ARGV[2])
     return {entries, tonumber(redis.call('GET', KEYS[2]) or 0)}`),

  /** KEYS: delivery claim, events. ARGV: owner, now, until, limit. The events, or nothing where another has the claim. */
  claimEvents: notDurable(
    writesInFullMemory(`local held = redis.call('HMGET', KEYS[1], 'owner', 'until')
     if held[1] and held[1] ~= ARGV[1] and tonumber(held[2]) > tonumber(ARGV[2]) then return false end
     redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'until', ARGV[3])
     return redis.call('ZRANGE', KEYS[2], 0, tonumber(ARGV[4]) - 1)`),
  ),

  /** KEYS: delivery claim, events, events by time. ARGV: owner, position, 1 to release. 1 where the owner has the claim. */
  settleEvents: notDurable(
    writesInFullMemory(`if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
     for _, event in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[2])) do
       redis.call('ZREM', KEYS[2], event)
       redis.call('ZREM', KEYS[3], event)
     end
     if ARGV[3] == '1' then redis.call('DEL', KEYS[1]) end
     return 1`),
  ),

  /** KEYS: signing keys. ARGV: the key, its kid, and the kid that must be the newest, or nothing. 1 where it was added. */
  addSigningKey: once(
    writes(`local newest = false
     local taken = false
     for _, key in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
       newest = cjson.decode(key).kid
       taken = taken or newest == ARGV[2]
     end
     if newest ~= (ARGV[3] or false) then return 0 end
     if taken then return redis.error_reply('TAKEN A signing key with this kid exists.') end
     redis.call('RPUSH', KEYS[1], ARGV[1])
     return 1`),
  ),

  /**
   * KEYS: examine, ends. ARGV: prefix, the bound, limit. Deletes the ended ones of the next sessions that are due for a look,
   * and puts the others off to their end. How many it looked at, and how many it deleted.
   */
  pruneSessions: notDurable(
    writesInFullMemory(`${ROWS}
     local prefix, before, deleted = ARGV[1], tonumber(ARGV[2]), 0
     local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[2], 'LIMIT', 0, ARGV[3])
     for _, id in ipairs(due) do
       local row = read(prefix .. 's:' .. id)
       local ends_at = row and math.min(idle_end(row), absolute_end(row))
       if row and ends_at >= before then
         redis.call('ZADD', KEYS[1], ends_at, id)
       else
         redis.call('ZREM', KEYS[1], id)
         redis.call('ZREM', KEYS[2], id)
         if row then
           local actor = actor_of(row)
           redis.call('ZREM', prefix .. 'a:' .. actor, id)
           redis.call('ZREM', prefix .. 'r:' .. actor, id)
           redis.call('DEL', prefix .. 's:' .. id)
           deleted = deleted + 1
         end
       end
     end
     return {#due, deleted}`),
  ),

  /** KEYS: what is sorted by time, and where the same stands besides. ARGV: the bound, limit. How many were deleted. */
  pruneByTime: notDurable(
    writesInFullMemory(`local old = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
     for _, entry in ipairs(old) do
       for _, key in ipairs(KEYS) do redis.call('ZREM', key, entry) end
     end
     return #old`),
  ),
} as const satisfies Record<string, Script>;
