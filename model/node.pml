/* A node: it takes a request from the network or the thief, and answers. */

inline anyToken(t) {
  t = 1;
  do
  :: t < generation -> t++
  :: break
  od
}

inline receive() {
  if
  :: proofs > 0 ->
    i = 1;
    do
    :: i < proofs -> i++
    :: break
    od;
    q_id = i; q_from = proof[i].key;
    prove(proof[i].token, proof[i].overRow, proof[i].overToken, proof[i].key, proof[i].r);
#ifndef DPOP
    q_retryKey = 1;
#endif
    if
    :: true
    :: true -> /* The thief puts another token beside a captured proof. */
      anyToken(i);
      if
      :: KNOWN(i) && i != q_token -> q_token = i; q_mixed = true; q_from = THIEF
      :: else
      fi
    fi
  :: tab[0] != 0 -> takeFromTab(0)
#if TABS > 1
  :: tab[1] != 0 -> takeFromTab(1)
#endif
  :: true -> /* A copied token without a proof. There may have been a retry key in the copied jar. */
    anyToken(i);
    if
    :: KNOWN(i) -> q_from = THIEF; q_token = i; if :: q_retryKey = 0 :: q_retryKey = 1 fi
    :: else
    fi
#if defined(STOLEN) || defined(WITHOUT_ONE_KEY_FOR_LIFE)
  :: true -> /* A copied token with a proof by the thief's own key, which he has registered at any generation. */
    anyToken(i);
    if
    :: KNOWN(i) -> q_from = THIEF; prove(i, generation, i, THIEF, 0); anyToken(i); q_r = i
    :: else
    fi
#endif
#ifdef CLONE
  :: true -> anyToken(i); q_from = THIEF; prove(i, generation, i, 1, 0)
#endif
  fi;
  i = 0; q_late = acknowledged;
  if
  :: q_from == THIEF && q_mixed -> printf("The thief sends token %d with proof %d.\n", q_token, q_id)
  :: q_from == THIEF && !q_mixed -> printf("The thief sends token %d, with key %d.\n", q_token, q_key)
  :: q_from == PAGE -> printf("A node takes the page's token %d.\n", q_token)
  :: q_from == 1 || q_from == 2 -> printf("A node takes proof %d with token %d.\n", q_id, q_token)
  :: else
  fi
}

inline takeFromTab(t) {
  q_from = PAGE; q_token = tab[t]; q_tells = tabTells[t]; q_retryKey = 1; pageBusy++;
  if
  :: tab[t] = 0; tabTells[t] = false
  :: true /* the network has doubled it */
  fi
}

/* One refresh at a time: the client drops the answer to a request that it has given up. */
#ifdef WITHOUT_ONE_AT_A_TIME
#define AWAITED true
#else
#define AWAITED (device[q_from].waitsFor == q_id)
#endif
#define UNHEARD (q_from == THIEF || ((q_from == 1 || q_from == 2) && !AWAITED))

#ifdef WITNESS /* Must fail: a world in which no client gets its last token would prove nothing. */
#define WITNESSES must(0, jar < GENERATIONS)
#else
#define WITNESSES skip
#endif

/* The answer reaches the honest client. */
inline deliver() {
  if
  :: q_verdict == ROTATED && q_from != THIEF -> jar = q_new; WITNESSES
  :: else
  fi;
  if
  :: q_from == PAGE && q_verdict == ROTATED -> young = binding == NOBODY
  :: q_from == 1 || q_from == 2 ->
    device[q_from].waitsFor = 0;
    if
    :: q_verdict == ROTATED -> device[q_from].overRow = q_new; device[q_from].overToken = q_new
    :: q_verdict == STALE -> device[q_from].overRow = q_new; device[q_from].overToken = q_token
#ifndef WITHOUT_FINAL_REFUSAL
    :: q_verdict == REFUSED -> device[q_from].state = GONE
#endif
    :: else
    fi
  :: else
  fi
}

inline close() {
  if
  :: q_from == PAGE -> pageBusy--
  :: else
  fi;
  if
  :: isFirst -> firstAtWork = false
  :: else
  fi;
  forget()
}

#ifdef WITHOUT_COMPARE_AND_SWAP
#define SWAP skip
#else
#define SWAP write(); trim()
#endif
#ifdef WITHOUT_BINDING_IN_SWAP
#define UNBOUND_YET (q_verdict == ROTATED && q_matched && q_key != NOBODY && q_key != binding)
#else
#define UNBOUND_YET false
#endif

/* Forgets what the rest of the way does not need, so that equal states are one. */
inline trim() {
  if
  :: q_verdict != 0 && q_verdict != RETRY && q_verdict != REUSED && UNHEARD && !UNBOUND_YET -> close()
  :: else ->
#ifndef WITHOUT_BINDING_IN_SWAP
    q_r = 0;
#endif
#ifndef WITHOUT_UNIQUE_CHALLENGE
    q_overRow = 0;
#endif
    q_overToken = 0; q_retryKey = 0; q_tells = false
  fi
}

/*
 * A swap that does not match now never will: generations only grow, a binding and a revocation stay. So the look at the row is in
 * the same step: an early request with a late look is the same as a late request. The nodes are alike, so the second takes a
 * request only while the first is at work.
 */
proctype Node(bool isFirst) {
  REQUEST; byte i;
end:
  do
  :: atomic { !over && q_from == 0 && (isFirst || firstAtWork) ->
      receive();
      if
      :: q_from != 0 ->
        if :: isFirst -> firstAtWork = true :: else fi;
        match();
        if
        :: q_matched && generation < GENERATIONS -> SWAP
        :: q_matched && generation >= GENERATIONS -> close() /* the model ends here */
        :: else -> judge(); trim()
        fi
      :: else
      fi }
#ifdef WITHOUT_COMPARE_AND_SWAP
  :: atomic { !over && q_matched && q_verdict == 0 -> write(); trim() }
#endif
#ifdef WITHOUT_BINDING_IN_SWAP
  :: atomic { !over && UNBOUND_YET -> bind(); trim() }
#endif
  :: atomic { !over && q_verdict == RETRY -> spend(); trim() }
  :: atomic { !over && q_verdict == REUSED -> endSession(); trim() }
  :: atomic { !over && q_verdict != 0 && q_verdict != RETRY && q_verdict != REUSED ->
      if
      :: !UNHEARD -> deliver(); printf("The answer to token %d, %e, arrives.\n", q_token, q_verdict)
      :: true -> printf("The answer to token %d, %e, is lost.\n", q_token, q_verdict)
      fi;
      close() }
  od
}
