/* The honest client, time, sign-out, and the question whether the client can go on from here. */

#define LIVES (!over && !revoked)

/* Step 2, "unchanged": a young jar does not rotate. A bound one is rotated at most twice within a leeway of its binding. */
#ifdef WITHOUT_YOUNG_JAR
#define YOUNG false
#else
#define YOUNG (young && jar == generation && binding == NOBODY)
#endif
#define JUST_ROTATED (leeway && jar == generation && binding != NOBODY && generation > boundAt + 1)

#ifdef WITHOUT_TELLING
#define TELLS false
#else
#define TELLS (device[1].state == READY || device[2].state == READY)
#endif

inline register(k) {
  device[k].state = ASKED; device[k].r = jar;
#ifdef WITHOUT_BINDING_BY_ROTATION
  binding = k; boundAt = jar;
#endif
  printf("The browser asks to register key %d, with token %d.\n", k, jar)
}

inline registered(k) {
  if
  :: device[k].state = READY; device[k].overRow = device[k].r; device[k].overToken = device[k].r;
    printf("Key %d is registered.\n", k)
  :: device[k].state = NO_KEY; device[k].r = 0; /* and the browser drops the key */
    printf("The answer to the registration is lost.\n")
  fi
}

inline sendProof(k) {
  proofs++;
  proof[proofs].token = jar; proof[proofs].key = k; proof[proofs].r = device[k].r;
  proof[proofs].overRow = device[k].overRow; proof[proofs].overToken = device[k].overToken;
  device[k].waitsFor = proofs;
  printf("The client sends token %d with proof %d, by key %d, over generation %d and token %d.\n",
    jar, proofs, k, device[k].overRow, device[k].overToken)
}

/* One try, all at once, on a network that delivers. */
inline present() {
  forget();
  if
  :: device[1].state == READY -> q_from = 1
  :: device[1].state != READY && device[2].state == READY -> q_from = 2
  :: else -> q_from = PAGE
  fi;
  if
  :: q_from == PAGE -> q_token = jar
  :: else -> prove(jar, device[q_from].overRow, device[q_from].overToken, q_from, device[q_from].r)
  fi;
#ifndef DPOP
  q_retryKey = 1;
#endif
  printf("The client presents token %d, with key %d.\n", q_token, q_key);
  match();
  if
  :: q_matched -> write()
  :: else -> judge()
  fi;
  if
  :: q_verdict == RETRY -> spend()
  :: q_verdict == REUSED -> endSession()
  :: q_verdict == KEPT -> leeway = false
  :: else
  fi;
  deliver()
}

inline goOn() {
  printf("From here on the network delivers, and time passes.\n");
  do
  :: tries < 8 && q_verdict != ROTATED && !revoked -> present(); tries++
  :: else -> break
  od;
#if defined(STOLEN) || defined(CLONE)
  must(5, q_verdict == ROTATED || revoked);
#else
  must(6, q_verdict == ROTATED);
#endif
  /* Nothing follows: all such states are made one. */
  over = true; forget(); tries = 0;
  generation = 0; revoked = true; retryKey = 0; binding = 0; boundAt = 0; leeway = false; spent = 0; acknowledged = true;
  written = 0; yielded = 0; pageBusy = 0; firstAtWork = false; jar = 0; young = false;
  tab[0] = 0; tabTells[0] = false; tab[TABS - 1] = 0; tabTells[TABS - 1] = false;
  wipe(1); wipe(2);
  do
  :: proofs > 0 ->
    proof[proofs].token = 0; proof[proofs].overRow = 0; proof[proofs].overToken = 0;
    proof[proofs].key = 0; proof[proofs].r = 0; proofs--
  :: else -> break
  od
}

inline wipe(k) {
  device[k].state = 0; device[k].r = 0; device[k].overRow = 0; device[k].overToken = 0; device[k].waitsFor = 0
}

#define TAB(t) \
  :: atomic { LIVES && tab[t] == 0 && jar < GENERATIONS && !YOUNG -> tab[t] = jar; tabTells[t] = TELLS; \
      printf("A tab sends token %d without a proof.\n", jar) } \
  :: atomic { !over && tab[t] != 0 -> tab[t] = 0; tabTells[t] = false; printf("The network loses it.\n") }

#define REGISTRATION(k) \
  :: atomic { LIVES && device[k].state == NO_KEY && binding == NOBODY && jar == generation -> register(k) } \
  :: atomic { LIVES && device[k].state == ASKED -> registered(k) }

#define PROVING(k) \
  :: atomic { LIVES && device[k].state == READY && device[k].waitsFor == 0 && proofs < PROOFS && jar < GENERATIONS && \
        !YOUNG && !JUST_ROTATED -> sendProof(k) } \
  :: atomic { LIVES && device[k].waitsFor != 0 -> device[k].waitsFor = 0; printf("The client gives up waiting.\n") }

proctype Client() {
  REQUEST; byte tries;
end:
  do
#ifndef DPOP
  TAB(0)
#if TABS > 1
  TAB(1)
#endif
  REGISTRATION(1)
#if KEYS > 1
  REGISTRATION(2)
#endif
  /* A request without a proof lives less than a leeway, with its answer. */
  :: atomic { !over && (leeway || young) && tab[0] == 0 && tab[TABS - 1] == 0 && pageBusy == 0 ->
      leeway = false; young = false; printf("A leeway passes.\n") }
#endif
  PROVING(1)
#if KEYS > 1
  PROVING(2)
#endif
  :: atomic { LIVES -> revoked = true; acknowledged = true; printf("The person signs out.\n") }
  :: atomic { LIVES -> goOn() }
  od
}
