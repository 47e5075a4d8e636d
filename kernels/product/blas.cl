/* What goes before a float product by a library: the values it adds to, and the window of a convolution
 * written out as the rows of a matrix. */
#include "lanes.clh"
#include "product/float_product_args.clh"

/* y[m][n] = factor * c, which repeats where its step is 0. Work-item (16 columns, row). */
static inline void addend_body(const addend_args a, const long across, const long row)
{
    const long column = across * 16;
    __global const float *from = AT(float, a.c) + row * a.c_row + column * a.c_column;
    const float16 v = a.c_column ? load16_float(from, a.n - column) : (float16)(from[0]);
    save16_float(AT(float, a.y) + row * a.n + column, a.factor * v, a.n - column);
}
KERNEL_2D(addend, addend, ADDEND_ARGS)

/* rows[pixel][tap][c] = x under the tap, channels last; 0 outside. Work-item (tap, output pixel, image). */
static inline void window_rows_body(const window_rows_args a, const long of_window, const long at,
                                    const long n)
{
    const geometry_numbers g = a.geometry;
    const int tap = of_window, taps = g.kh * g.kw, pixel = at;
    const int iy = pixel / g.ow * g.stride_h - g.pad_top + tap / g.kw * g.dilation_h,
              ix = pixel % g.ow * g.stride_w - g.pad_left + tap % g.kw * g.dilation_w;
    const bool inside = iy >= 0 && iy < g.h && ix >= 0 && ix < g.w;
    __global const float *in = AT(float, a.x) + (inside ? ((n * g.h + iy) * g.w + ix) * g.c : 0);
    __global float *out = AT(float, a.rows) + ((n * g.oh * g.ow + pixel) * taps + tap) * g.c;
    for (int i = 0; i < g.c; i += 16)
        save16_float(out + i, inside ? load16_float(in + i, g.c - i) : (float16)(0.0f), g.c - i);
}
KERNEL_3D(window_rows, window_rows, WINDOW_ROWS_ARGS)
