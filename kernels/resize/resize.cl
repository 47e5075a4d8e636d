/* Resize, channels last. The host makes the taps (src/infer/resize.h): for each output row and column two
 * input positions and their weights. Options: T, an element type; LINEAR; QUANTIZED: T is 8 bits, dequantized
 * before and quantized after in float. */
#include "div.clh"
#include "lanes.clh"
#include "rounding.clh"

#ifndef T
#define T uchar
#endif
#define T16    OCT_PASTE(T, 16)
#define LOAD16 OCT_PASTE(load16_, T)
#define SAVE16 OCT_PASTE(save16_, T)

typedef struct tap {
    int i0, i1;
    float w0, w1;
} tap;

/* Work-item (output row, image). */
__kernel void resize(MEM(x), MEM(rows), MEM(columns), MEM(y), MEM(x_scale), MEM(x_zero), MEM(y_scale),
                     MEM(y_zero), const int h, const int w, const int c, const int oh, const int ow,
                     const int x_zeros, const int y_zeros)
{
    const int oy = get_global_id(0);
    const long n = get_global_id(1);
    const tap ty = AT(tap, rows)[oy];
    __global const T *above = AT(T, x) + (n * h + ty.i0) * w * c, *below = AT(T, x) + (n * h + ty.i1) * w * c;
    __global T *out = AT(T, y) + (n * oh + oy) * ow * c;
#ifdef QUANTIZED
    const float sx = AT(float, x_scale)[0], sy = AT(float, y_scale)[0];
    const int zx = x_zeros ? (int)AT(T, x_zero)[0] : 0, zy = y_zeros ? (int)AT(T, y_zero)[0] : 0;
#define VALUE(p) (convert_float16(convert_int16(LOAD16(p, c - i)) - zx) * sx)
#else
#define VALUE(p) LOAD16(p, c - i)
#endif
    for (int ox = 0; ox < ow; ox++) {
        const tap tx = AT(tap, columns)[ox];
        const long left = (long)tx.i0 * c, right = (long)tx.i1 * c;
        for (int i = 0; i < c; i += 16) {
#ifdef LINEAR
            /* The order of ONNX Runtime's sum. */
            const float16 v =
                tx.w0 * ty.w0 * VALUE(above + left + i) + tx.w1 * ty.w0 * VALUE(above + right + i) +
                tx.w0 * ty.w1 * VALUE(below + left + i) + tx.w1 * ty.w1 * VALUE(below + right + i);
#ifdef QUANTIZED
            float lanes[16];
            int q[16];
            vstore16(v, 0, lanes);
            for (int k = 0; k < 16; k++)
                q[k] = round_clamp1(oct_div_rn(lanes[k], sy), T_MIN - zy, T_MAX - zy) + zy;
            SAVE16(out + (long)ox * c + i, OCT_PASTE(convert_, T16)(vload16(0, q)), c - i);
#else
            SAVE16(out + (long)ox * c + i, v, c - i);
#endif
#else
            SAVE16(out + (long)ox * c + i, LOAD16(above + left + i, c - i), c - i);
#endif
        }
    }
}
