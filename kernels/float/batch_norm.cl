/* BatchNormalization of trained networks, channels last: y = x * s + t with
 * s = scale * (1 / sqrt(var + epsilon)) and t = B - mean * s, rounded after each step, as ONNX Runtime has
 * it. */
#include "div.clh"
#include "lanes.clh"

/* st: s [c], then t [c]. One work-item a channel. */
__kernel void prepare(MEM(scale), MEM(b), MEM(mean), MEM(var), MEM(st), const int c, const float epsilon)
{
    const int i = get_global_id(0);
    const float s = AT(float, scale)[i] * oct_div_rn(1.0f, sqrt(AT(float, var)[i] + epsilon));
    AT(float, st)[i] = s;
    AT(float, st)[c + i] = AT(float, b)[i] - AT(float, mean)[i] * s;
}

/* One work-item: `per_item` pixels of c channels. */
__kernel void batch_norm(MEM(x), MEM(st), MEM(y), const long pixels, const long per_item, const int c)
{
    const long first = get_global_id(0) * per_item, last = min(first + per_item, pixels);
    __global const float *s = AT(float, st), *t = s + c;
    for (long p = first; p < last; p++) {
        for (int i = 0; i < c; i += 16) {
            const float16 v = load16_float(AT(float, x) + p * c + i, c - i);
            save16_float(AT(float, y) + p * c + i,
                         v * load16_float(s + i, c - i) + load16_float(t + i, c - i), c - i);
        }
    }
}
