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
#include "float/unary.clh"

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

/* x [row][direction][4 hidden]; r [direction][panel][hidden][gate][PANEL]; p [direction][3 hidden], i, o, f.
 * Steps [first, first + count) of `steps`, from states h and c to y_h and y_c; count > 1: all in one
 * work-group, with `between` [direction][batch][2][hidden] for h. Work-item (units, sequence, direction). */
__kernel void lstm(MEM(x), MEM(r), MEM(p), MEM(lengths), MEM(h), MEM(c), MEM(between), MEM(y), MEM(y_h),
                   MEM(y_c), const long hidden, const long steps, const long first, const long count,
                   const long first_direction, const long directions, const long x_step, const long x_batch,
                   const long y_step, const long y_direction, const long y_batch, const long state_direction,
                   const long state_batch, const int has_p, const int has_lengths, const int has_h,
                   const int has_c, const int has_y, const int reverse, const int input_forget,
                   const float gate_a, const float gate_b, const float input_a, const float input_b,
                   const float cell_a, const float cell_b, const float clip)
{
    const long b = get_global_id(1), d = first_direction + (long)get_global_id(2);
    const long begin = (long)get_global_id(0) * UNITS, stride = (long)get_global_size(0) * UNITS;
    const long state = d * state_direction + b * state_batch, gates = 4 * hidden;
    const long length = has_lengths ? clamp((long)AT(int, lengths)[b], 0L, steps) : steps;
    const long active = clamp(length - first, 0L, count);
    const bool backwards = reverse || d == 1;
    __global const float *weights = AT(float, r) + d * ((hidden + PANEL - 1) / PANEL) * hidden * 4 * PANEL,
                         *pp = AT(float, p) + d * 3 * hidden;
    __global float *after = AT(float, y_h) + state, *cell = AT(float, y_c) + state;
    __global float *turns = AT(float, between) + (d * get_global_size(1) + b) * 2 * hidden;
    for (long u = begin; active == 0 && u < hidden; u += stride) {
        SAVE(after + u, has_h ? LOAD(AT(float, h) + state + u, hidden - u) : (UNARY_T)(0.0f), hidden - u);
        SAVE(cell + u, has_c ? LOAD(AT(float, c) + state + u, hidden - u) : (UNARY_T)(0.0f), hidden - u);
    }
    for (long s = 0; s < count; s++) {
        const long step = first + s, at = s < active && backwards ? length - 1 - step : step;
        const bool has_before = s > 0 || has_h;
        __global const float *before = s == 0 ? AT(float, h) + state : turns + (s - 1) % 2 * hidden;
        __global float *to = s == active - 1 ? after : turns + s % 2 * hidden;
        __global const float *in = AT(float, x) + ((at * x_step + b * x_batch) * directions + d) * gates;
        __global float *out = AT(float, y) + at * y_step + d * y_direction + b * y_batch;
        for (long u = begin; u < hidden; u += stride) {
            const long left = hidden - u;
            UNARY_T value = (UNARY_T)(0.0f);
            if (s < active) {
                UNARY_T si = (UNARY_T)(0.0f), so = si, sf = si, sc = si, old = si;
                __global const float *row = weights + u / PANEL * hidden * 4 * PANEL + u % PANEL;
                for (long k = 0; has_before && k < hidden; k++, row += 4 * PANEL) {
                    const float one = before[k];
                    si += one * WEIGHTS(row);
                    so += one * WEIGHTS(row + PANEL);
                    sf += one * WEIGHTS(row + 2 * PANEL);
                    sc += one * WEIGHTS(row + 3 * PANEL);
                }
                if (s > 0)
                    old = LOAD(cell + u, left);
                else if (has_c)
                    old = LOAD(AT(float, c) + state + u, left);
                si += LOAD(in + u, left);
                so += LOAD(in + hidden + u, left);
                sf += LOAD(in + 2 * hidden + u, left);
                sc += LOAD(in + 3 * hidden + u, left);
                if (has_p) {
                    si += LOAD(pp + u, left) * old;
                    sf += LOAD(pp + 2 * hidden + u, left) * old;
                }
                const UNARY_T gi = CLIPPED(GATE, si, gate_a, gate_b);
                const UNARY_T gf = input_forget ? 1.0f - gi : CLIPPED(GATE, sf, gate_a, gate_b);
                const UNARY_T now = gf * old + gi * CLIPPED(INPUT, sc, input_a, input_b);
                if (has_p)
                    so += LOAD(pp + hidden + u, left) * now;
                value = CLIPPED(GATE, so, gate_a, gate_b) * CLIPPED(CELL, now, cell_a, cell_b);
                SAVE(cell + u, now, left);
                SAVE(to + u, value, left);
            }
            if (has_y)
                SAVE(out + u, value, left);
        }
        barrier(CLK_GLOBAL_MEM_FENCE);
    }
}
