/*
 * The rotation protocol of docs/protocol.md with bound sessions, for Spin. README.md says how to run it and what it leaves out.
 *
 * One session, two nodes on one store, one honest client, one thief. Each run has one of four worlds:
 *   DPOP    the session is bound to the client's key at sign-in; the thief knows every token and every request
 *   DEVICE  a browser binds it later; the thief knows every token handed out since, and every request with a proof
 *   STOLEN  the thief has copies of the unbound jar, and a key of his own to bind the session to
 *   CLONE   as DPOP, and the thief has the client's key too
 *
 * Each WITHOUT_… takes one rule away, and then a property fails:
 *   P1  a bound session yields tokens only for a request that the honest client made, and once for each proof
 *   P2  no thief, loss, delay or doubling ends the honest session
 *   P3  no generation is written twice
 *   P4  a request that begins after an acknowledged revocation yields nothing
 *   P5  a thief who binds a stolen session, or has the key, is found out when the honest client presents its token
 *   P6  from every state the honest client gets a token once the network delivers
 *   P7  a token older than the direct parent yields nothing, even with the key
 *
 * A token is its generation: P3 makes that exact. A proof is a row of the table below and stays there. It may be processed at any
 * time, any number of times, by any node: so it is late, lost, doubled and captured all at once.
 */

#ifdef CLONE
#define DPOP
#endif

#ifndef GENERATIONS
#define GENERATIONS 4
#endif
#ifndef PROOFS
#define PROOFS 3
#endif
#ifndef KEYS
#define KEYS 1
#endif
#ifndef TABS
#define TABS 1
#endif

#define NOBODY 0
#define PAGE 8  /* the sender of requests without a proof; senders 1 and 2 are the honest client's keys */
#define THIEF 9 /* the thief's own key, and the sender of his requests */

#include "properties.pml"

/* ---- The row, and the ids of spent proofs beside it ---- */

byte generation = 1;
bool revoked = false;
byte retryKey = 0;     /* of the last swap: 0 none, 1 the jar's */
byte binding = NOBODY; /* the key */
byte boundAt = 0;      /* r: tokens up to this generation were handed out while the session was unbound */
bool leeway = false;   /* the last swap is less than one leeway ago */
short spent = 0;

/* ---- What really happened; no node reads this ---- */

bool acknowledged = false; /* the revocation */
short written = 2;         /* generations */
short yielded = 0;         /* proofs that got a token */
byte pageBusy = 0;         /* nodes at work on a request without a proof */
bool firstAtWork = false;
bool over = false;

/* ---- The honest client ---- */

byte jar = 1;
bool young = false; /* the access token in the jar is less than two leeways old */

#define NO_KEY 0
#define ASKED 1 /* a registration is under way */
#define READY 2
#define GONE 3  /* the server has refused the key for good */
typedef Device {
  byte state;
  byte r;         /* inside the identifier that the server handed out: the generation at registration */
  byte overRow;   /* the newest challenge: the row's generation … */
  byte overToken; /* … and that of the token which is to come with it */
  byte waitsFor   /* the proof whose answer is awaited */
}
Device device[3]; /* by key: 1 and 2 */

byte tab[TABS];      /* the token in the request that a tab has sent, or 0 */
bool tabTells[TABS]; /* a good access token comes with it, or the browser says that it could not prove the key */

typedef Proof { byte token; byte overRow; byte overToken; byte key; byte r }
Proof proof[PROOFS + 1];
byte proofs = 0;

/* ---- The thief ---- */

/* The tokens that he has: all of them, even if nobody has read them yet. But where the honest client binds the session, none from
   before: to use one of those is a theft that the protocol is there to find, and may end the session. */
#ifdef DEVICE
#define KNOWN(t) (binding != NOBODY && (t) > boundAt)
#else
#define KNOWN(t) true
#endif

#include "rules.pml"
#include "node.pml"
#include "client.pml"

init {
  atomic {
#ifdef DPOP
    binding = 1; device[1].state = READY; device[1].overRow = 1; device[1].overToken = 1;
#endif
    run Node(true); run Node(false); run Client()
  }
}
