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
#include "float/lstm_args.clh"
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
#define CLIPPED(function, x, a, b) OCT_PASTE(apply_, function)(clamp((UNARY_T)(x), -f.clip, f.clip), a, b)

static inline void bias_sum_body(const bias_sum_args a, const long i)
{
    const long d = i / a.gates;
    AT(float, a.sum)[i] = AT(float, a.bias)[d * a.gates + i] + AT(float, a.bias)[(d + 1) * a.gates + i];
}
KERNEL_1D(bias_sum, bias_sum, BIAS_SUM_ARGS)

/* One step of the units at `in`, `row` and `pp`: *cell becomes c', and h' is given back. */
static inline UNARY_T step_of(__global const float *row, __global const float *before, long known,
                              __global const float *in, __global const float *pp, long hidden, long left,
                              UNARY_T *cell, const lstm_gates_numbers f)
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
    if (f.has_p) {
        si += LOAD(pp, left) * old;
        sf += LOAD(pp + 2 * hidden, left) * old;
    }
    const UNARY_T gi = CLIPPED(GATE, si, f.gate_a, f.gate_b);
    const UNARY_T gf = f.input_forget ? 1.0f - gi : CLIPPED(GATE, sf, f.gate_a, f.gate_b);
    const UNARY_T now = gf * old + gi * CLIPPED(INPUT, sc, f.input_a, f.input_b);
    if (f.has_p)
        so += LOAD(pp + hidden, left) * now;
    *cell = now;
    return CLIPPED(GATE, so, f.gate_a, f.gate_b) * CLIPPED(CELL, now, f.cell_a, f.cell_b);
}

/* Where this work-item's sequence and direction lie. */
#define LOCATE                                                                                               \
    const long d = a.first_direction + direction;                                                            \
    const long state = d * a.state_direction + b * a.state_batch;                                            \
    const long length = a.has_lengths ? clamp((long)AT(int, a.lengths)[b], 0L, a.steps) : a.steps;           \
    const bool backwards = a.reverse || d == 1;                                                              \
    __global const float *weights =                                                                          \
        AT(float, a.r) + d * ((a.hidden + PANEL - 1) / PANEL) * a.hidden * 4 * PANEL;

#define ROW(u)    (weights + (u) / PANEL * a.hidden * 4 * PANEL + (u) % PANEL)
#define IN(at, u) (AT(float, a.x) + (((at)*a.x_step + b * a.x_batch) * a.directions + d) * 4 * a.hidden + (u))
#define P(u)      (AT(float, a.p) + d * 3 * a.hidden + (u))
#define Y(at, u)  (AT(float, a.y) + (at)*a.y_step + d * a.y_direction + b * a.y_batch + (u))

/* x [row][direction][4 hidden]; r [direction][panel][hidden][gate][PANEL]; p [direction][3 hidden], i, o, f.
 * Step `step` alone, from states h and c to y_h and y_c. Work-item (UNITS units, sequence, direction). */
static inline void lstm_step_body(const lstm_args a, const long item, const long b, const long direction)
{
    LOCATE
    const long u = item * UNITS, left = a.hidden - u;
    const long at = a.step < length && backwards ? length - 1 - a.step : a.step;
    UNARY_T cell = (UNARY_T)(0.0f), value = cell;
    if (a.has_c)
        cell = LOAD(AT(float, a.c) + state + u, left);
    if (a.step < length)
        value = step_of(ROW(u), AT(float, a.h) + state, a.has_h ? a.hidden : 0, IN(at, u), P(u), a.hidden,
                        left, &cell, a.lstm_gates);
    if (a.has_y)
        SAVE(Y(at, u), value, left);
    if (a.step >= length && a.has_h)
        value = LOAD(AT(float, a.h) + state + u, left);
    SAVE(AT(float, a.y_h) + state + u, value, left);
    SAVE(AT(float, a.y_c) + state + u, cell, left);
}
KERNEL_3D(lstm_step, lstm, LSTM_ARGS)

/* All steps, in one work-group for each sequence and direction; `turns` [direction][batch][2][hidden] has h
 * of the step before and of this one. */
__kernel void lstm_whole(SIGNATURE(lstm, LSTM_ARGS))
{
    RESOLVE(lstm, LSTM_ARGS)
    const long b = get_global_id(1), direction = get_global_id(2);
    LOCATE
    const long begin = (long)get_local_id(0) * UNITS, stride = (long)get_local_size(0) * UNITS;
    __global float *h_of = AT(float, a.turns) + (d * a.batch + b) * 2 * a.hidden;
    __global float *cells = AT(float, a.y_c) + state;
    for (long u = begin; u < a.hidden; u += stride) {
        UNARY_T value = (UNARY_T)(0.0f), cell = value;
        if (a.has_h)
            value = LOAD(AT(float, a.h) + state + u, a.hidden - u);
        if (a.has_c)
            cell = LOAD(AT(float, a.c) + state + u, a.hidden - u);
        SAVE(h_of + u, value, a.hidden - u);
        SAVE(cells + u, cell, a.hidden - u);
    }
    barrier(CLK_GLOBAL_MEM_FENCE);
    for (long s = 0; s < length; s++) {
        const long at = backwards ? length - 1 - s : s;
        for (long u = begin; u < a.hidden; u += stride) {
            const long left = a.hidden - u;
            UNARY_T cell = LOAD(cells + u, left);
            const UNARY_T value = step_of(ROW(u), h_of + s % 2 * a.hidden, a.has_h || s ? a.hidden : 0,
                                          IN(at, u), P(u), a.hidden, left, &cell, a.lstm_gates);
            SAVE(cells + u, cell, left);
            SAVE(h_of + (s + 1) % 2 * a.hidden + u, value, left);
            if (a.has_y)
                SAVE(Y(at, u), value, left);
        }
        barrier(CLK_GLOBAL_MEM_FENCE);
    }
    for (long u = begin; u < a.hidden; u += stride) {
        SAVE(AT(float, a.y_h) + state + u, LOAD(h_of + length % 2 * a.hidden + u, a.hidden - u),
             a.hidden - u);
        for (long s = length; a.has_y && s < a.steps; s++)
            SAVE(Y(s, u), (UNARY_T)(0.0f), a.hidden - u);
    }
}
