/*
 * A store that comes back without its last writes, for Spin: one session of docs/protocol.md, two nodes that follow the revocation log,
 * an honest client whose requests may arrive late and twice, and the revocations of other sessions, which take the places in the log
 * that were lost.
 *
 *   P2  a lost rotation raises no alarm
 *   P3  only the current token of a generation is taken as such
 *   P8  an acknowledged revocation that a running node remembers holds again once the nodes have read the log
 *
 * Each WITHOUT_… takes one rule away, and then a property fails.
 */

#include "properties.pml"

#ifndef WRITES
#define WRITES 4 /* that the store holds at most */
#endif
#ifndef TOKENS
#define TOKENS 4
#endif
#ifndef LOSSES
#define LOSSES 1
#endif
#define ENTRIES 7

/* The store after each of its writes. A loss goes back to one of them. */
typedef Row { byte generation; byte token; bool revoked; byte logEnd }
Row row[WRITES + 1];
byte now = 0;
byte log[WRITES + 1]; /* by position: the entry */
byte entries = 0;
byte ours = 0;        /* the entries of this session */
byte losses = 0;

/* A swap writes a fresh salt, so a token that is written again is another one. */
byte tokens = 1;
byte generationOf[TOKENS + 1];
byte parentOf[TOKENS + 1];

byte jar = 1;
bool used = false; /* the token in the jar has been sent */
bool over = false;

typedef Node {
  byte last;      /* the position of the last entry that was read … */
  byte entry;     /* … and that entry */
  byte end;
  bool remembers; /* the session's revocation */
  bool unseen     /* it is this node's own, and has not been met in the log */
}
Node node[2];

/* ---- Rules that variants take away ---- */

#ifdef WITHOUT_SECRET_IN_WHERE
#define MATCHES(t) (generationOf[t] == row[now].generation)
#else
#define MATCHES(t) ((t) == row[now].token)
#endif

#ifdef WITHOUT_WRONG_SECRET_SPARED
#define SPARED(t) false
#else
#define SPARED(t) (generationOf[t] >= row[now].generation)
#endif

#ifdef WITHOUT_COMPARED_LOG
#define ANOTHER_LOG(n) false
#else
#define ANOTHER_LOG(n) (row[now].logEnd < node[n].end || (node[n].last != 0 && log[node[n].last] != node[n].entry))
#endif

#ifdef WITHOUT_OWN_EXPECTED
#define EXPECTED(n) false
#else
#define EXPECTED(n) node[n].unseen
#endif

/* ---- The store ---- */

inline newWrite() {
  now++;
  row[now].generation = row[now - 1].generation; row[now].token = row[now - 1].token;
  row[now].revoked = row[now - 1].revoked; row[now].logEnd = row[now - 1].logEnd
}

inline appendEntry() {
  entries++; row[now].logEnd = row[now].logEnd + 1; log[row[now].logEnd] = entries
}

inline revoke(n) {
  newWrite(); row[now].revoked = true;
  appendEntry(); ours = ours | (1 << entries);
  node[n].remembers = true
#ifndef WITHOUT_OWN_EXPECTED_AGAIN
  ; node[n].unseen = true
#endif
}

inline lose() {
  do
  :: now > 0 -> now--; if :: break :: now > 0 fi
  od;
  losses++; printf("The store comes back at generation %d, revoked: %d.\n", row[now].generation, row[now].revoked)
}

/* ---- A node ---- */

inline refresh(t) {
  printf("Token %d, of generation %d, arrives.\n", t, generationOf[t]);
  if :: t == jar -> used = true :: else fi;
  if
  :: row[now].revoked -> skip
  :: !row[now].revoked && MATCHES(t) ->
    must(3, t == row[now].token);
    newWrite(); tokens++;
    generationOf[tokens] = generationOf[t] + 1; parentOf[tokens] = t;
    row[now].generation = generationOf[tokens]; row[now].token = tokens;
    printf("  The swap writes token %d, of generation %d.\n", tokens, generationOf[tokens]);
    answer(t)
  :: !row[now].revoked && !MATCHES(t) && parentOf[row[now].token] == t -> answer(t)
  :: !row[now].revoked && !MATCHES(t) && parentOf[row[now].token] != t -> must(2, SPARED(t))
  fi
}

/* The client takes no answer but to the token that it holds. */
inline answer(t) {
  if
  :: jar == t -> jar = row[now].token; used = false
  :: true
  fi
#ifdef WITNESS /* Must fail: a world in which nobody goes on after a loss would prove nothing. */
  ; must(0, !(losses > 0 && jar == TOKENS))
#endif
}

inline readLog(n) {
  do
  :: node[n].last < row[now].logEnd ->
    node[n].last = node[n].last + 1; node[n].entry = log[node[n].last];
    if
    :: has(ours, node[n].entry) -> node[n].remembers = true; node[n].unseen = false
    :: else
    fi
  :: else -> break
  od;
  node[n].end = row[now].logEnd
}

inline poll(n) {
  older = ANOTHER_LOG(n);
  if
  :: !older -> readLog(n); older = EXPECTED(n)
  :: else
  fi;
  if
  :: older ->
    node[n].unseen = false; node[n].last = 0; node[n].entry = 0; node[n].end = 0;
    readLog(n);
#ifndef WITHOUT_PUTTING_BACK
    if
    :: node[n].remembers && !row[now].revoked -> revoke(n); printf("Node %d revokes again.\n", n)
    :: else
    fi
#endif
  :: else
  fi;
  older = false
}

#define NODE(n) \
  :: atomic { !over && !row[now].revoked && now < WRITES && entries < ENTRIES - 2 -> \
      revoke(n); node[n].unseen = true; printf("The session is revoked at node %d.\n", n) } \
  :: atomic { !over && now < WRITES -> poll(n) }

/* A request may arrive at any time, any number of times, until the client has sent the next token. */
#define SEND(t) :: atomic { !over && (t == jar || (t == parentOf[jar] && !used)) && now < WRITES && tokens < TOKENS -> refresh(t) }

init {
  bool older = false;
  row[0].generation = 1; row[0].token = 1; generationOf[1] = 1;
end:
  do
  SEND(1)
  SEND(2)
  SEND(3)
  NODE(0)
  NODE(1)
  :: atomic { !over && now < WRITES && entries < ENTRIES - 2 ->
      newWrite(); appendEntry(); printf("Another session is revoked.\n") }
  :: atomic { !over && losses < LOSSES && now > 0 -> lose() }
  :: atomic { !over && now < WRITES && (node[0].remembers || node[1].remembers) ->
      printf("Both nodes read the log.\n");
      poll(0); poll(1);
      must(8, row[now].revoked);
      over = true }
  od
}
