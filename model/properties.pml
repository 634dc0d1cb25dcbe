/* How each model states its properties. scripts/model/runs.ts has their words. */

#define has(set, i) (((set) >> (i)) & 1)

/* -DONLY=5 looks at P5 alone. */
#ifndef ONLY
#define ONLY 0
#endif
#define must(n, condition) P##n##_holds = (condition) || (ONLY != 0 && ONLY != n); assert(P##n##_holds)
bool P0_holds = true, P1_holds = true, P2_holds = true, P3_holds = true;
bool P4_holds = true, P5_holds = true, P6_holds = true, P7_holds = true, P8_holds = true;
