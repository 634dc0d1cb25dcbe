/*
 * A change of AUTH_SECRET while a session of docs/protocol.md goes on, for Spin: two nodes are restarted through the steps of
 * docs/operations.md at any times, requests and answers get lost, and the client comes to either node.
 *
 *   P2  the client is refused only where its session is over
 *
 * Each WITHOUT_… takes one rule away, and then it fails. A token is its generation. Time goes by halves of REFRESH_IDLE_TTL.
 */

#include "properties.pml"

#ifndef GENERATIONS
#define GENERATIONS 5
#endif
#define IDLE 2
#define TIME_ENDS 8

#define OLD 1
#define NEW 2

/* What a node lists, the secret that signs first: 0 old; 1 old,new; 2 new,old; 3 new. */
byte list[2];
#define lists(n, secret) ((secret) == OLD -> list[n] < 3 : list[n] > 0)
#define signs(n) (list[n] < 2 -> OLD : NEW)

byte time = 0;
byte changedAt = 0; /* when the new secret signed on the last node */

byte generation = 1;
byte under[GENERATIONS + 1]; /* the secret of each token */
byte idleEnd = IDLE;
byte jar = 1;
bool over = false;

/* ---- Rules that variants take away ---- */

#ifdef WITHOUT_LISTED_EVERYWHERE_FIRST
#define MAY_SIGN(other) true
#else
#define MAY_SIGN(other) (list[other] >= 1)
#endif

#ifdef WITHOUT_SECOND_IDLE_TIME
#define KEPT_FOR IDLE
#else
#define KEPT_FOR (2 * IDLE)
#endif

#ifdef WITHOUT_EVERY_SECRET_ON_RETRY
#define DERIVES(n) (under[generation] == signs(n))
#else
#define DERIVES(n) lists(n, under[generation])
#endif

/* ---- */

inline answer() {
  if
  :: jar = generation; printf("  The client has token %d.\n", jar)
  :: printf("  The answer is lost.\n")
  fi
#ifdef WITNESS /* Must fail: a world in which no client gets its last token from the new list would prove nothing. */
  ; must(0, !(jar == GENERATIONS && list[0] == 3 && list[1] == 3))
#endif
}

inline refresh(n) {
  printf("The client sends token %d, under secret %d, to node %d.\n", jar, under[jar], n);
  if
  :: !lists(n, under[jar]) -> must(2, time >= idleEnd); over = true
  :: lists(n, under[jar]) && time >= idleEnd -> over = true
  :: lists(n, under[jar]) && time < idleEnd && jar == generation ->
    generation++; under[generation] = signs(n); idleEnd = time + IDLE;
    printf("  It writes token %d under secret %d.\n", generation, under[generation]);
    answer()
  :: lists(n, under[jar]) && time < idleEnd && jar != generation ->
    /* The retry key is the same. */
    must(2, DERIVES(n));
    answer()
  fi
}

#define REFRESH(n) :: atomic { !over && (jar != generation || generation < GENERATIONS) -> refresh(n) }

#define RESTART(n, other) \
  :: atomic { !over && list[n] == 0 -> list[n] = 1; printf("Node %d lists old,new.\n", n) } \
  :: atomic { !over && list[n] == 1 && MAY_SIGN(other) -> \
      list[n] = 2; changedAt = time; printf("Node %d lists new,old.\n", n) } \
  :: atomic { !over && list[n] == 2 && list[other] >= 2 && time >= changedAt + KEPT_FOR -> \
      list[n] = 3; printf("Node %d lists new.\n", n) }

init {
  under[1] = OLD;
end:
  do
  REFRESH(0)
  REFRESH(1)
  RESTART(0, 1)
  RESTART(1, 0)
  :: atomic { !over && time < TIME_ENDS -> time++; printf("Half an idle time passes.\n") }
  od
}
