/* What a node makes of a request: the compare-and-swap, and the verdict where it does not match. */

/* ROTATED, or replayed: a token. RETRY: a token, if the proof is not spent. STALE: a new challenge. REFUSED: for good, the browser
   forgets this key. KEPT: refused, and nothing changes. REUSED: the session is to be ended. */
mtype = { ROTATED, RETRY, STALE, REFUSED, KEPT, REUSED, ENDED }

/* One request at work. q_key: of its proof, or NOBODY. q_r: in the identifier that comes with a device key. */
#define REQUEST \
  byte q_from, q_token, q_key, q_overRow, q_overToken, q_r, q_id, q_retryKey, q_new; mtype q_verdict; \
  bool q_tells, q_late, q_mixed, q_matched

inline forget() {
  q_from = 0; q_token = 0; q_key = 0; q_overRow = 0; q_overToken = 0; q_r = 0; q_id = 0; q_retryKey = 0; q_verdict = 0;
  q_new = 0; q_tells = false; q_late = false; q_mixed = false; q_matched = false
}

inline prove(ofToken, ofRow, forToken, byKey, withR) {
  q_token = ofToken; q_overRow = ofRow; q_overToken = forToken; q_key = byKey; q_r = withR
}

/* ---- Rules that variants take away ---- */

#ifdef WITHOUT_LIVENESS_IN_SWAP
#define LIVE true
#else
#define LIVE (!revoked)
#endif

#ifdef WITHOUT_CHALLENGE_GENERATION
#define OVER_ROW(g) true
#else
#define OVER_ROW(g) (q_overRow == (g))
#endif

#ifdef WITHOUT_CHALLENGE_TOKEN
#define OVER_TOKEN true
#else
#define OVER_TOKEN (q_overToken == q_token)
#endif
#define FRESH (OVER_ROW(generation) && OVER_TOKEN)

#ifdef WITHOUT_R_COMPARED
#define R_FITS true
#else
#define R_FITS (q_r == q_token)
#endif

#if defined(WITHOUT_BINDING_IN_WHERE)
#define BINDING_FITS (binding != NOBODY || q_key == NOBODY || R_FITS)
#elif defined(WITHOUT_ONE_KEY_FOR_LIFE)
#define BINDING_FITS (q_key == binding || (q_key != NOBODY && R_FITS))
#else
#define BINDING_FITS (q_key == binding || (binding == NOBODY && R_FITS))
#endif

#ifdef WITHOUT_DIRECT_PARENT
#define PARENT (q_token < generation)
#else
#define PARENT (q_token + 1 == generation)
#endif

#ifdef WITHOUT_RETRY_KEY
#define SAME_RETRY_KEY false
#else
#define SAME_RETRY_KEY (q_retryKey != 0 && q_retryKey == retryKey)
#endif

#ifdef WITHOUT_UNIQUE_CHALLENGE
#define ID q_overRow /* the challenge follows from the generation, and a browser's proof has no other id */
#else
#define ID q_id
#endif
#define SPENT (ID != 0 && has(spent, ID))

#ifdef WITHOUT_REUSE
#define IF_REUSED KEPT
#else
#define IF_REUSED REUSED
#endif

/* A token from before the binding, without a proof, that may yet be the honest browser's. */
#if defined(WITHOUT_LEEWAY_AT_BINDING)
#define SPARED q_tells
#elif defined(WITHOUT_SECOND_ROTATION_SPARED)
#define SPARED (q_tells || (leeway && generation <= boundAt + 1))
#elif defined(WITHOUT_LIMIT_OF_SPARING)
#define SPARED (q_tells || leeway)
#else
#define SPARED (q_tells || (leeway && generation <= boundAt + 2))
#endif

/* ---- The swap ---- */

/* WHERE. A proof is over the presented generation, as the row's and as the token's. */
inline match() {
  q_matched = LIVE && generation == q_token && BINDING_FITS &&
    (q_key == NOBODY || (OVER_ROW(q_token) && OVER_TOKEN))
}

/* SET. */
inline write() {
  q_new = q_token + 1;
  printf("  The swap writes generation %d.\n", q_new);
  must(3, !has(written, q_new));
  written = written | (1 << q_new);
  generation = q_new;
  retryKey = q_retryKey;
#ifndef DPOP
  leeway = true;
#endif
#ifndef WITHOUT_BINDING_IN_SWAP
  bind();
#endif
  yield()
}

inline bind() {
  if
  :: q_key != NOBODY && q_key != binding ->
    binding = q_key; boundAt = q_r; young = false;
    printf("  The session is bound to key %d.\n", q_key)
  :: else
  fi
}

/* A token goes out. q_new is the row's generation as this node has seen it. */
inline yield() {
  must(4, !q_late);
  must(7, q_token + 1 == q_new);
  if
#ifdef STOLEN /* What copies from before the binding do is for P5. */
  :: binding == 1 || binding == 2 -> must(1, q_key == binding && (!q_mixed || q_token <= boundAt))
#else
  :: binding == 1 || binding == 2 -> must(1, q_key == binding && !q_mixed)
  :: binding == THIEF -> must(1, false)
#endif
  :: else
  fi;
  if
  :: q_id != 0 -> must(1, !has(yielded, q_id)); yielded = yielded | (1 << q_id)
  :: else
  fi;
  q_verdict = ROTATED
}

/* ---- The verdict, where the swap has not matched ---- */

inline judge() {
  if
#ifdef WITHOUT_REVOKED_FIRST
  :: q_key == NOBODY -> judgeUnproved()
  :: q_key != NOBODY -> judgeProved()
#else
  :: revoked -> q_verdict = ENDED
  :: !revoked && q_key == NOBODY -> judgeUnproved()
  :: !revoked && q_key != NOBODY -> judgeProved()
#endif
  fi;
  q_new = generation;
  printf("  The row is at generation %d: %e.\n", generation, q_verdict);
  if
  :: q_verdict == ROTATED -> yield()
  :: q_verdict == KEPT && q_from == PAGE && binding == THIEF && !q_tells -> must(5, generation <= boundAt + 2)
  :: else
  fi
}

inline judgeProved() {
  if
  :: binding == NOBODY && q_token == generation && q_r == generation -> q_verdict = STALE
  :: binding == NOBODY && !(q_token == generation && q_r == generation) ->
#ifdef WITHOUT_REFUSAL_WHILE_UNBOUND
    if
    :: q_token == generation -> q_verdict = REFUSED
    :: else -> judgeUnproved()
    fi
#else
    q_verdict = REFUSED
#endif
  :: binding != NOBODY && binding != q_key ->
#ifdef WITHOUT_SPARING_OTHER_KEYS
    judgeUnproved()
#else
    q_verdict = REFUSED
#endif
#ifdef WITHOUT_FRESHNESS_FIRST
  :: binding == q_key && q_token + 1 < generation -> q_verdict = REUSED
  :: binding == q_key && q_token + 1 >= generation && !FRESH -> q_verdict = STALE
#else
  :: binding == q_key && !FRESH -> q_verdict = STALE
#endif
  :: binding == q_key && FRESH ->
    if
#if defined(WITHOUT_PROVED_RETRY)
    :: PARENT -> q_verdict = REUSED
#elif defined(WITHOUT_ATOMIC_SPENDING)
    :: PARENT && SPENT -> q_verdict = STALE
    :: PARENT && !SPENT -> q_verdict = RETRY
#else
    :: PARENT -> q_verdict = RETRY
#endif
    :: !PARENT && q_token < generation -> q_verdict = IF_REUSED
    :: q_token >= generation -> q_verdict = KEPT
    fi
  fi
}

inline judgeUnproved() {
  if
  :: q_token >= generation -> q_verdict = KEPT
  :: q_token < generation && binding == NOBODY ->
    if
    :: PARENT && (leeway || SAME_RETRY_KEY) -> q_verdict = ROTATED
    :: else -> q_verdict = IF_REUSED
    fi
  :: q_token < generation && binding != NOBODY ->
    if
#if defined(WITHOUT_SPARING_NO_PROOF)
    :: true -> q_verdict = REUSED
#elif defined(WITHOUT_ALARM_BEFORE_BINDING)
    :: true -> q_verdict = KEPT
#elif defined(WITHOUT_PROOF_IN_LEEWAY)
    :: q_token <= boundAt && PARENT && leeway -> q_verdict = ROTATED
    :: else -> q_verdict = KEPT
#else
    :: q_token <= boundAt && !SPARED -> q_verdict = IF_REUSED
    :: else -> q_verdict = KEPT
#endif
    fi
  fi
}

/* The proof of a retry counts once. The thief's own proofs are new each time, so they have no row in the table. */
inline spend() {
  if
#if !defined(WITHOUT_SINGLE_USE) && !defined(WITHOUT_ATOMIC_SPENDING)
#ifdef DPOP
  :: SPENT -> q_verdict = KEPT /* the client makes a new proof over the same challenge */
#else
  :: SPENT -> q_verdict = STALE /* a browser signs a challenge once: it needs a new one */
#endif
#endif
  :: else -> spent = spent | (1 << ID); yield()
  fi
}

inline endSession() {
#if !defined(STOLEN) && !defined(CLONE)
  must(2, false);
#endif
  revoked = true; acknowledged = true; q_verdict = ENDED
}
