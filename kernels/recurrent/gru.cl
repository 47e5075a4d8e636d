/* The steps of a GRU: gates z, r, h of a hidden unit are
 *     z = GATE(xz + h Rz)    r = GATE(xr + h Rr)    h' = (1 - z) n + z h
 *     n = INPUT(xh + (r h) Rh), or with LINEAR (ONNX's linear_before_reset) n = INPUT(xh + r (h Rh + b))
 * each argument of a function within [-clip, clip]. Sums are in order of k. Options: those of recurrence.clh,
 * and LINEAR. Without it a step has two halves, since Rh wants r of all units. */
#ifndef LINEAR
#define LINEAR 0
#endif
#define GATES  3
#define CELLS  0
#define RESETS (!LINEAR)
#include "recurrent/recurrence.clh"

static inline UNARY_T reset_of(const recurrence_args a, long d, long u, const step_inputs s)
{
    const long left = a.hidden - u;
    __global const float *row = ROW(u) + PANEL;
    UNARY_T sr = (UNARY_T)(0.0f);
    for (long k = 0; k < s.known; k++, row += GATES * PANEL)
        sr += s.before[k] * WEIGHTS(row);
    sr += LOAD(s.in + a.hidden, left);
    return CLIPPED(GATE, gate, sr) * LOAD(s.before + u, left);
}

static inline UNARY_T next_of(const recurrence_args a, long d, long u, const step_inputs s, UNARY_T *cell)
{
    const long hidden = a.hidden, left = hidden - u;
    __global const float *row = ROW(u);
    UNARY_T sz = (UNARY_T)(0.0f), sr = sz, sn = sz, old = sz;
    for (long k = 0; k < s.known; k++, row += GATES * PANEL) {
        const float one = s.before[k];
        sz += one * WEIGHTS(row);
        if (LINEAR)
            sr += one * WEIGHTS(row + PANEL);
        sn += (LINEAR ? one : s.reset[k]) * WEIGHTS(row + 2 * PANEL);
    }
    if (LINEAR) {
        sr += LOAD(s.in + hidden, left);
        if (a.has_bias)
            sn += LOAD(AT(float, a.bias) + (d * 6 + 5) * hidden + u, left);
        sn *= CLIPPED(GATE, gate, sr);
    }
    sn += LOAD(s.in + 2 * hidden, left);
    if (s.known)
        old = LOAD(s.before + u, left);
    const UNARY_T z = CLIPPED(GATE, gate, sz + LOAD(s.in, left));
    return (1.0f - z) * CLIPPED(INPUT, input, sn) + z * old;
}
