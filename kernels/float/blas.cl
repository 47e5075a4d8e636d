/* What goes before a float product by a library: the values it adds to, and the window of a convolution
 * written out as the rows of a matrix. */
#include "lanes.clh"

/* y[m][n] = factor * c, which repeats where its step is 0. Work-item (16 columns, row). */
__kernel void addend(MEM(c), MEM(y), const long n, const float factor, const long c_row, const long c_column)
{
    const long column = (long)get_global_id(0) * 16, row = get_global_id(1);
    __global const float *from = AT(float, c) + row * c_row + column * c_column;
    const float16 v = c_column ? load16_float(from, n - column) : (float16)(from[0]);
    save16_float(AT(float, y) + row * n + column, factor * v, n - column);
}

/* rows[pixel][tap][c] = x under the tap, channels last; 0 outside. Work-item (tap, output pixel, image). */
__kernel void window_rows(MEM(x), MEM(rows), const int h, const int w, const int c, const int oh,
                          const int ow, const int kw, const int stride_h, const int stride_w,
                          const int dilation_h, const int dilation_w, const int pad_top, const int pad_left)
{
    const int tap = get_global_id(0), taps = get_global_size(0), pixel = get_global_id(1);
    const long n = get_global_id(2);
    const int iy = pixel / ow * stride_h - pad_top + tap / kw * dilation_h,
              ix = pixel % ow * stride_w - pad_left + tap % kw * dilation_w;
    const bool inside = iy >= 0 && iy < h && ix >= 0 && ix < w;
    __global const float *in = AT(float, x) + (inside ? ((n * h + iy) * w + ix) * c : 0);
    __global float *out = AT(float, rows) + ((n * oh * ow + pixel) * taps + tap) * c;
    for (int i = 0; i < c; i += 16)
        save16_float(out + i, inside ? load16_float(in + i, c - i) : (float16)(0.0f), c - i);
}
