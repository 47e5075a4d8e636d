/* BatchNormalization of trained networks, channels last: y = x * s + t with
 * s = scale * (1 / sqrt(var + epsilon)) and t = B - mean * s, rounded after each step, as ONNX Runtime has
 * it. */
#include "div.clh"
#include "lanes.clh"
#include "normalize/normalize_args.clh"

/* One work-item: a channel. */
static inline void prepare_body(const batch_norm_prepare_args a, const long i)
{
    const float s = AT(float, a.scale)[i] * oct_div_rn(1.0f, sqrt(AT(float, a.var)[i] + a.epsilon));
    AT(float, a.st)[i] = s;
    AT(float, a.st)[a.c + i] = AT(float, a.b)[i] - AT(float, a.mean)[i] * s;
}
KERNEL_1D(prepare, batch_norm_prepare, BATCH_NORM_PREPARE_ARGS)

/* One work-item: `per_item` pixels of c channels. */
static inline void batch_norm_body(const batch_norm_args a, const long item)
{
    const long first = item * a.per_item, last = min(first + a.per_item, a.pixels);
    __global const float *s = AT(float, a.st), *t = s + a.c;
    for (long p = first; p < last; p++) {
        for (int i = 0; i < a.c; i += 16) {
            const float16 v = load16_float(AT(float, a.x) + p * a.c + i, a.c - i);
            save16_float(AT(float, a.y) + p * a.c + i,
                         v * load16_float(s + i, a.c - i) + load16_float(t + i, a.c - i), a.c - i);
        }
    }
}
KERNEL_1D(batch_norm, batch_norm, BATCH_NORM_ARGS)
