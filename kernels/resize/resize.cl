/* Resize, channels last. The host makes the taps (src/infer/resize.h): for each output row and column two
 * input positions and their weights. Options: T, an element type; LINEAR; QUANTIZED: T is 8 bits, dequantized
 * before and quantized after in float. */
#include "div.clh"
#include "lanes.clh"
#include "resize/resize_args.clh"
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
static inline void resize_body(const resize_args a, const long oy, const long n)
{
    const tap ty = AT(tap, a.rows)[oy];
    __global const T *above = AT(T, a.x) + (n * a.h + ty.i0) * a.w * a.c,
                     *below = AT(T, a.x) + (n * a.h + ty.i1) * a.w * a.c;
    __global T *out = AT(T, a.y) + (n * a.oh + oy) * a.ow * a.c;
#ifdef QUANTIZED
    const float sx = AT(float, a.x_scale)[0], sy = AT(float, a.y_scale)[0];
    const int zx = a.x_zeros ? (int)AT(T, a.x_zero)[0] : 0, zy = a.y_zeros ? (int)AT(T, a.y_zero)[0] : 0;
#define VALUE(p) (convert_float16(convert_int16(LOAD16(p, a.c - i)) - zx) * sx)
#else
#define VALUE(p) LOAD16(p, a.c - i)
#endif
    for (int ox = 0; ox < a.ow; ox++) {
        const tap tx = AT(tap, a.columns)[ox];
        const long left = (long)tx.i0 * a.c, right = (long)tx.i1 * a.c;
        for (int i = 0; i < a.c; i += 16) {
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
            SAVE16(out + (long)ox * a.c + i, OCT_PASTE(convert_, T16)(vload16(0, q)), a.c - i);
#else
            SAVE16(out + (long)ox * a.c + i, v, a.c - i);
#endif
#else
            SAVE16(out + (long)ox * a.c + i, LOAD16(above + left + i, a.c - i), a.c - i);
#endif
        }
    }
}
KERNEL_2D(resize, resize, RESIZE_ARGS)
