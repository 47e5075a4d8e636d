#include "observer.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HALF = OCT_BINS / 2 };

octet_status oct_observer_init(oct_observer *o, int64_t channels)
{
    memset(o, 0, sizeof *o);
    o->channels = channels;
    o->bins = calloc(OCT_BINS, sizeof *o->bins);
    o->channel_sums = channels ? calloc((size_t)channels, sizeof *o->channel_sums) : NULL;
    if (o->bins && (o->channel_sums || !channels))
        return OCTET_OK;
    oct_observer_free(o);
    return oct_out_of_memory("quantization");
}

void oct_observer_free(oct_observer *o)
{
    free(o->bins);
    free(o->channel_sums);
    memset(o, 0, sizeof *o);
}

static void double_width(oct_observer *o)
{
    uint64_t merged[OCT_BINS] = {0};
    for (int i = 0; i < OCT_BINS; i++) {
        int k = i - HALF;
        merged[(k - (k & 1)) / 2 + HALF] += o->bins[i];
    }
    memcpy(o->bins, merged, sizeof merged);
    o->width *= 2;
}

/* Bins for numbers up to `most`: at least a quarter of one half of them is then in use. */
static void make_room(oct_observer *o, double most)
{
    if (most == 0)
        return;
    if (o->width == 0) {
        int exponent;
        (void)frexp(most / HALF, &exponent);
        o->width = ldexp(1, exponent);
    }
    while (most >= o->width * HALF)
        double_width(o);
}

octet_status oct_observer_add(oct_observer *o, const float *x, int64_t count, int64_t inner)
{
    double lo = INFINITY, hi = -INFINITY;
    for (int64_t i = 0; i < count; i++) {
        RETURN_IF(!isfinite(x[i]), OCTET_INVALID_ARGUMENT, "element %lld is %s", (long long)i,
                  isnan(x[i]) ? "NaN" : "infinite");
        lo = x[i] < lo ? x[i] : lo;
        hi = x[i] > hi ? x[i] : hi;
    }
    if (!count)
        return OCTET_OK;
    make_room(o, fmax(fabs(lo), fabs(hi)));
    double per_width = o->width > 0 ? 1 / o->width : 0; /* exact: a power of two */
    for (int64_t i = 0; i < count; i++) {
        if (x[i] == 0)
            o->zeros++;
        else
            o->bins[(int)floor(x[i] * per_width) + HALF]++;
    }
    for (int64_t i = 0; i < count && o->channels; i++)
        o->channel_sums[i / inner % o->channels] += x[i];
    o->per_channel += o->channels ? (uint64_t)(count / o->channels) : 0;
    o->lo = o->samples ? fmin(o->lo, lo) : lo;
    o->hi = o->samples ? fmax(o->hi, hi) : hi;
    o->lo_sum += lo;
    o->hi_sum += hi;
    o->count += (uint64_t)count;
    o->samples++;
    return OCTET_OK;
}

static double bin_start(const oct_observer *o, int i)
{
    return (i - HALF) * o->width;
}

/* Zero must have a code of its own, and a range of no width is one that has no scale. */
static oct_range with_zero(double lo, double hi)
{
    return (oct_range){fmin(lo, 0), fmax(hi, 0)};
}

static oct_range within(const oct_observer *o, double lo, double hi)
{
    return with_zero(fmax(lo, o->lo), fmin(hi, o->hi));
}

double oct_observer_outside(const oct_observer *o, oct_range r)
{
    double out = 0;
    for (int i = 0; i < OCT_BINS; i++) {
        double middle = bin_start(o, i) + o->width / 2;
        if (o->bins[i] && (middle < r.lo || middle > r.hi))
            out += (double)o->bins[i];
    }
    return o->count ? out / (double)o->count : 0;
}

/* ---- percentile ---------------------------------------------------------------------------------------- */

static oct_range percentile_range(const oct_observer *o, double percentile)
{
    double tail = (1 - percentile / 100) * (double)o->count, below = 0, above = 0;
    int first = 0, last = OCT_BINS - 1;
    while (first < OCT_BINS && below + (double)o->bins[first] <= tail)
        below += (double)o->bins[first++];
    while (last >= 0 && above + (double)o->bins[last] <= tail)
        above += (double)o->bins[last--];
    if (first > last) /* nothing but zeros is left */
        return with_zero(0, 0);
    return within(o, bin_start(o, first), bin_start(o, last + 1));
}

/* ---- mean squared error -------------------------------------------------------------------------------- */

/* Of the elements of the bins: one that fits is off by a step's uniform noise, one outside by its distance to
 * the end (a bin's elements lie evenly in it). */
static double squared_error(const oct_observer *o, double lo, double hi, int levels)
{
    double step = (hi - lo) / levels, noise = step * step / 12, even = o->width * o->width / 12, sum = 0;
    for (int i = 0; i < OCT_BINS; i++) {
        if (!o->bins[i])
            continue;
        double middle = bin_start(o, i) + o->width / 2;
        double far = middle < lo ? lo - middle : middle > hi ? middle - hi : 0;
        sum += (double)o->bins[i] * (far > 0 ? far * far + even : noise);
    }
    return sum;
}

#define MSE_STEPS 24

static oct_range mse_range(const oct_observer *o, int levels)
{
    oct_range all = with_zero(o->lo, o->hi), best = all;
    double least = squared_error(o, all.lo, all.hi, levels);
    /* Outliers may be many times larger than the rest: the ends shrink by equal factors, to about 1/40. */
    for (int i = 0; i < MSE_STEPS; i++) {
        for (int j = 0; j < MSE_STEPS; j++) {
            double lo = all.lo * pow(0.855, i), hi = all.hi * pow(0.855, j);
            if ((all.lo == 0 && i) || (all.hi == 0 && j))
                continue;
            double error = squared_error(o, lo, hi, levels);
            if (error < least) {
                least = error;
                best = (oct_range){lo, hi};
            }
        }
    }
    /* Then finely around the best. */
    oct_range coarse = best;
    for (int i = -4; i <= 4; i++) {
        for (int j = -4; j <= 4; j++) {
            double lo = fmax(coarse.lo * pow(0.97, i), all.lo), hi = fmin(coarse.hi * pow(0.97, j), all.hi);
            double error = squared_error(o, lo, hi, levels);
            if (error < least) {
                least = error;
                best = (oct_range){lo, hi};
            }
        }
    }
    return best;
}

/* ---- entropy ------------------------------------------------------------------------------------------- */

/* The divergence of Kullback and Leibler between the magnitudes clipped at bin `end` and what `groups` levels
 * make of them: each level's mass spread over those of its bins that hold something. (Migacz, "8-bit
 * inference with TensorRT", 2017.) */
static double divergence(const double *p, int bins, int end, int groups)
{
    double outliers = 0, total = 0, made = 0, sum = 0;
    for (int i = end; i < bins; i++)
        outliers += p[i];
    for (int i = 0; i < end; i++)
        total += p[i];
    made = total;
    total += outliers;
    if (made <= 0)
        return INFINITY;
    for (int k = 0; k < groups; k++) {
        int from = (int)((int64_t)end * k / groups), to = (int)((int64_t)end * (k + 1) / groups), held = 0;
        double mass = 0;
        for (int i = from; i < to; i++) {
            mass += p[i];
            held += p[i] > 0;
        }
        for (int i = from; i < to; i++) {
            double mine = p[i] + (i == end - 1 ? outliers : 0);
            if (mine > 0 && p[i] > 0)
                sum += mine / total * log((mine / total) / (mass / held / made));
            else if (mine > 0)
                sum += mine / total * log((mine / total) / (1e-12));
        }
    }
    return sum;
}

static oct_range entropy_range(const oct_observer *o, int levels)
{
    double p[HALF + 1] = {0};
    int used = 0;
    bool both = o->lo < 0 && o->hi > 0;
    for (int i = 0; i < OCT_BINS; i++) {
        int m = i >= HALF ? i - HALF : HALF - 1 - i;
        p[m] += (double)o->bins[i];
        used = o->bins[i] && m + 1 > used ? m + 1 : used;
    }
    int groups = both ? (levels + 1) / 2 : levels + 1, best = used;
    double least = INFINITY;
    for (int end = groups; end <= used; end += 8) {
        double d = divergence(p, used, end, groups);
        if (d < least) {
            least = d;
            best = end;
        }
    }
    return within(o, -best * o->width, best * o->width);
}

oct_range oct_observer_range(const oct_observer *o, octet_observer method, double percentile, int levels)
{
    if (!o->samples || o->width == 0)
        return (oct_range){0, 0};
    switch (method) {
    case OCTET_OBSERVE_AVERAGE:
        return with_zero(o->lo_sum / (double)o->samples, o->hi_sum / (double)o->samples);
    case OCTET_OBSERVE_PERCENTILE:
        return percentile_range(o, percentile);
    case OCTET_OBSERVE_ENTROPY:
        return entropy_range(o, levels);
    case OCTET_OBSERVE_MSE:
        return mse_range(o, levels);
    default:
        return with_zero(o->lo, o->hi);
    }
}

const char *octet_observer_name(octet_observer observer)
{
    static const char *const names[] = {"best", "minmax", "average", "percentile", "entropy", "mse"};
    return (unsigned)observer < OCTET_OBSERVER_COUNT ? names[observer] : NULL;
}
