/* The steps of an LSTM: gates i, o, f, c of a hidden unit are
 *     i = GATE(xi + h Ri + Pi c)    f = GATE(xf + h Rf + Pf c)    c' = f c + i INPUT(xc + h Rc)
 *     o = GATE(xo + h Ro + Po c')   h' = o CELL(c')
 * each argument of a function within [-clip, clip]. Sums are in order of k. Options: those of recurrence.clh,
 * and the function CELL. */
#define GATES  4
#define CELLS  1
#define RESETS 0
#ifndef CELL
#define CELL Tanh
#endif
#include "recurrent/recurrence.clh"

static inline UNARY_T next_of(const recurrence_args a, long d, long u, const step_inputs s, UNARY_T *cell)
{
    const long hidden = a.hidden, left = hidden - u;
    __global const float *row = ROW(u);
    UNARY_T si = (UNARY_T)(0.0f), so = si, sf = si, sc = si;
    const UNARY_T old = *cell;
    for (long k = 0; k < s.known; k++, row += GATES * PANEL) {
        const float one = s.before[k];
        si += one * WEIGHTS(row);
        so += one * WEIGHTS(row + PANEL);
        sf += one * WEIGHTS(row + 2 * PANEL);
        sc += one * WEIGHTS(row + 3 * PANEL);
    }
    si += LOAD(s.in, left);
    so += LOAD(s.in + hidden, left);
    sf += LOAD(s.in + 2 * hidden, left);
    sc += LOAD(s.in + 3 * hidden, left);
    if (a.has_p) {
        si += LOAD(P(u), left) * old;
        sf += LOAD(P(u) + 2 * hidden, left) * old;
    }
    const UNARY_T gi = CLIPPED(GATE, gate, si);
    const UNARY_T gf = a.input_forget ? 1.0f - gi : CLIPPED(GATE, gate, sf);
    const UNARY_T now = gf * old + gi * CLIPPED(INPUT, input, sc);
    if (a.has_p)
        so += LOAD(P(u) + hidden, left) * now;
    *cell = now;
    return CLIPPED(GATE, gate, so) * CLIPPED(CELL, cell, now);
}
