/* The steps of an LSTM, with what its inputs give to the gates known: gates i, o, f, c of a hidden unit are
 *     i = GATE(xi + h Ri + Pi c)    f = GATE(xf + h Rf + Pf c)    c' = f c + i INPUT(xc + h Rc)
 *     o = GATE(xo + h Ro + Po c')   h' = o CELL(c')
 * each argument of a function within [-clip, clip]. Sums are in order of k.
 * Options: UNITS of a work-item, 16 for CPUs or 1; PANEL, units of a panel of weights, a multiple of UNITS;
 * GATE, INPUT, CELL: functions by their ONNX names, each with two numbers. */
#ifndef UNITS
#define UNITS 16
#endif
#if UNITS == 1
#define UNARY_T float
#endif
#include "unary/unary.clh"

#ifndef PANEL
#define PANEL 16
#endif
#ifndef GATE
#define GATE  Sigmoid
#define INPUT Tanh
#define CELL  Tanh
#endif

static inline UNARY_T apply_Relu(UNARY_T x, float a, float b)
{
    return fmax(x, (UNARY_T)(0.0f));
}

static inline UNARY_T apply_Affine(UNARY_T x, float a, float b)
{
    return a * x + b;
}

static inline UNARY_T apply_ScaledTanh(UNARY_T x, float a, float b)
{
    return a * tanh(b * x);
}

#if UNITS == 16
#define LOAD(from, count)      load16_float(from, count)
#define SAVE(to, value, count) save16_float(to, value, count)
#define WEIGHTS(from)          vload16(0, from)
#else
#define LOAD(from, count)      ((from)[0])
#define SAVE(to, value, count) (to)[0] = (value)
#define WEIGHTS(from)          (from)[0]
#endif
#define CLIPPED(f, x, a, b) OCT_PASTE(apply_, f)(clamp((UNARY_T)(x), -clip, clip), a, b)

__kernel void bias_sum(MEM(bias), MEM(sum), const long gates)
{
    const long i = get_global_id(0), d = i / gates;
    AT(float, sum)[i] = AT(float, bias)[d * gates + i] + AT(float, bias)[(d + 1) * gates + i];
}

/* The numbers of the functions, and what every step reads besides states and inputs. */
#define NUMBERS_ARGS                                                                                         \
    const int has_p, const int input_forget, const float gate_a, const float gate_b, const float input_a,    \
        const float input_b, const float cell_a, const float cell_b, const float clip
#define NUMBERS has_p, input_forget, gate_a, gate_b, input_a, input_b, cell_a, cell_b, clip

/* One step of the units at `in`, `row` and `pp`: *cell becomes c', and h' is given back. */
static inline UNARY_T step_of(__global const float *row, __global const float *before, long known,
                              __global const float *in, __global const float *pp, long hidden, long left,
                              UNARY_T *cell, NUMBERS_ARGS)
{
    UNARY_T si = (UNARY_T)(0.0f), so = si, sf = si, sc = si;
    const UNARY_T old = *cell;
    for (long k = 0; k < known; k++, row += 4 * PANEL) {
        const float one = before[k];
        si += one * WEIGHTS(row);
        so += one * WEIGHTS(row + PANEL);
        sf += one * WEIGHTS(row + 2 * PANEL);
        sc += one * WEIGHTS(row + 3 * PANEL);
    }
    si += LOAD(in, left);
    so += LOAD(in + hidden, left);
    sf += LOAD(in + 2 * hidden, left);
    sc += LOAD(in + 3 * hidden, left);
    if (has_p) {
        si += LOAD(pp, left) * old;
        sf += LOAD(pp + 2 * hidden, left) * old;
    }
    const UNARY_T gi = CLIPPED(GATE, si, gate_a, gate_b);
    const UNARY_T gf = input_forget ? 1.0f - gi : CLIPPED(GATE, sf, gate_a, gate_b);
    const UNARY_T now = gf * old + gi * CLIPPED(INPUT, sc, input_a, input_b);
    if (has_p)
        so += LOAD(pp + hidden, left) * now;
    *cell = now;
    return CLIPPED(GATE, so, gate_a, gate_b) * CLIPPED(CELL, now, cell_a, cell_b);
}

#define SHARED_ARGS                                                                                          \
    MEM(x), MEM(r), MEM(p), MEM(lengths), MEM(h), MEM(c), MEM(y), MEM(y_h), MEM(y_c), const long hidden,     \
        const long steps, const long first_direction, const long directions, const long x_step,              \
        const long x_batch, const long y_step, const long y_direction, const long y_batch,                   \
        const long state_direction, const long state_batch, const int has_lengths, const int has_h,          \
        const int has_c, const int has_y, const int reverse, NUMBERS_ARGS

/* Where this work-item's sequence and direction lie. */
#define LOCATE                                                                                               \
    const long b = get_global_id(1), d = first_direction + (long)get_global_id(2);                           \
    const long state = d * state_direction + b * state_batch;                                                \
    const long length = has_lengths ? clamp((long)AT(int, lengths)[b], 0L, steps) : steps;                   \
    const bool backwards = reverse || d == 1;                                                                \
    __global const float *weights = AT(float, r) + d * ((hidden + PANEL - 1) / PANEL) * hidden * 4 * PANEL;

#define ROW(u)    (weights + (u) / PANEL * hidden * 4 * PANEL + (u) % PANEL)
#define IN(at, u) (AT(float, x) + (((at)*x_step + b * x_batch) * directions + d) * 4 * hidden + (u))
#define P(u)      (AT(float, p) + d * 3 * hidden + (u))
#define Y(at, u)  (AT(float, y) + (at)*y_step + d * y_direction + b * y_batch + (u))

/* x [row][direction][4 hidden]; r [direction][panel][hidden][gate][PANEL]; p [direction][3 hidden], i, o, f.
 * Step `step` alone, from states h and c to y_h and y_c. Work-item (UNITS units, sequence, direction). */
__kernel void lstm_step(SHARED_ARGS, const long step)
{
    LOCATE
    const long u = (long)get_global_id(0) * UNITS, left = hidden - u;
    const long at = step < length && backwards ? length - 1 - step : step;
    UNARY_T cell = (UNARY_T)(0.0f), value = cell;
    if (has_c)
        cell = LOAD(AT(float, c) + state + u, left);
    if (step < length)
        value = step_of(ROW(u), AT(float, h) + state, has_h ? hidden : 0, IN(at, u), P(u), hidden, left,
                        &cell, NUMBERS);
    if (has_y)
        SAVE(Y(at, u), value, left);
    if (step >= length && has_h)
        value = LOAD(AT(float, h) + state + u, left);
    SAVE(AT(float, y_h) + state + u, value, left);
    SAVE(AT(float, y_c) + state + u, cell, left);
}

/* All steps, in one work-group for each sequence and direction; `turns` [direction][batch][2][hidden] has h
 * of the step before and of this one. */
__kernel void lstm_whole(SHARED_ARGS, MEM(turns))
{
    LOCATE
    const long begin = (long)get_local_id(0) * UNITS, stride = (long)get_local_size(0) * UNITS;
    __global float *h_of = AT(float, turns) + (d * get_global_size(1) + b) * 2 * hidden;
    __global float *cells = AT(float, y_c) + state;
    for (long u = begin; u < hidden; u += stride) {
        UNARY_T value = (UNARY_T)(0.0f), cell = value;
        if (has_h)
            value = LOAD(AT(float, h) + state + u, hidden - u);
        if (has_c)
            cell = LOAD(AT(float, c) + state + u, hidden - u);
        SAVE(h_of + u, value, hidden - u);
        SAVE(cells + u, cell, hidden - u);
    }
    barrier(CLK_GLOBAL_MEM_FENCE);
    for (long s = 0; s < length; s++) {
        const long at = backwards ? length - 1 - s : s;
        for (long u = begin; u < hidden; u += stride) {
            const long left = hidden - u;
            UNARY_T cell = LOAD(cells + u, left);
            const UNARY_T value = step_of(ROW(u), h_of + s % 2 * hidden, has_h || s ? hidden : 0, IN(at, u),
                                          P(u), hidden, left, &cell, NUMBERS);
            SAVE(cells + u, cell, left);
            SAVE(h_of + (s + 1) % 2 * hidden + u, value, left);
            if (has_y)
                SAVE(Y(at, u), value, left);
        }
        barrier(CLK_GLOBAL_MEM_FENCE);
    }
    for (long u = begin; u < hidden; u += stride) {
        SAVE(AT(float, y_h) + state + u, LOAD(h_of + length % 2 * hidden + u, hidden - u), hidden - u);
        for (long s = length; has_y && s < steps; s++)
            SAVE(Y(s, u), (UNARY_T)(0.0f), hidden - u);
    }
}
