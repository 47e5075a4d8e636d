#include "resize.h"
#include "moves.h"

#include <math.h>
#include <string.h>

static const oct_value *input(const oct_graph *g, const oct_node *n, int i)
{
    return i < n->input_count && n->inputs[i] != OCT_NO_VALUE ? &g->values[n->inputs[i]] : NULL;
}

static bool is_empty(const oct_value *v)
{
    return !v || (v->rank == 1 && v->dims[0] == 0);
}

/* Where a row or column of the result comes from is a table that the host makes. */
#define MOST_RESIZED ((int64_t)1 << 24)

/* Factor and size of dimension d, from scales or sizes. */
static octet_status read_dim(const oct_value *x, const oct_value *scales, const int64_t *sizes, int d,
                             float *scale, int64_t *out)
{
    if (sizes) {
        RETURN_IF(sizes[d] < 0 || sizes[d] > INT32_MAX, OCTET_INVALID_ARGUMENT, "sizes[%d] is %lld", d,
                  (long long)sizes[d]);
        *out = sizes[d];
        *scale = x->dims[d] ? (float)sizes[d] / (float)x->dims[d] : 1.0f;
        return OCTET_OK;
    }
    memcpy(scale, (const char *)scales->data + (size_t)d * sizeof *scale, sizeof *scale);
    RETURN_IF(!(*scale > 0.0f && *scale <= 65536.0f), OCTET_INVALID_ARGUMENT, "scales[%d] is %g", d,
              (double)*scale);
    float size = floorf((float)x->dims[d] * *scale);
    RETURN_IF(!(size < 2147483648.0f), OCTET_INVALID_ARGUMENT, "the output is too large");
    *out = (int64_t)size;
    return OCTET_OK;
}

static octet_status check_modes(const oct_node *n, oct_resize *r)
{
    static const char *const coordinates[] = {"half_pixel", "pytorch_half_pixel", "asymmetric",
                                              "align_corners", "tf_half_pixel_for_nn"};
    static const char *const nearest[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    const char *mode = oct_node_string(n, "mode", "nearest");
    r->linear = strcmp(mode, "linear") == 0;
    RETURN_IF(!r->linear && strcmp(mode, "nearest") != 0, OCTET_UNSUPPORTED, "mode %s is not supported",
              mode);
    r->simple = n->opset < 11;
    r->coordinates =
        r->simple ? "asymmetric" : oct_node_string(n, "coordinate_transformation_mode", "half_pixel");
    r->nearest = oct_node_string(n, "nearest_mode", "round_prefer_floor");
    bool known = false, rounds = false;
    for (size_t i = 0; i < sizeof coordinates / sizeof coordinates[0]; i++)
        known = known || strcmp(coordinates[i], r->coordinates) == 0;
    for (size_t i = 0; i < sizeof nearest / sizeof nearest[0]; i++)
        rounds = rounds || strcmp(nearest[i], r->nearest) == 0;
    RETURN_IF(!known, OCTET_UNSUPPORTED, "coordinate_transformation_mode %s is not supported",
              r->coordinates);
    RETURN_IF(!rounds, OCTET_CORRUPT_FILE, "nearest_mode %s does not exist", r->nearest);
    RETURN_IF(oct_node_int(n, "antialias", 0) != 0, OCTET_UNSUPPORTED, "antialias is not supported");
    RETURN_IF(oct_node_attr(n, "axes") != NULL, OCTET_UNSUPPORTED,
              "axes are not supported; give all dimensions");
    RETURN_IF(strcmp(oct_node_string(n, "keep_aspect_ratio_policy", "stretch"), "stretch") != 0,
              OCTET_UNSUPPORTED, "keep_aspect_ratio_policy is not supported");
    return OCTET_OK;
}

octet_status oct_resize_resolve(const oct_graph *g, const oct_node *n, oct_resize *r)
{
    memset(r, 0, sizeof *r);
    FORWARD(check_modes(n, r));
    const oct_value *x = &g->values[n->inputs[0]], *scales = input(g, n, r->simple ? 1 : 2),
                    *sizes = r->simple ? NULL : input(g, n, 3);
    int64_t numbers[OCTET_MAX_RANK];
    int count = 0;
    RETURN_IF(x->rank < 3 || x->rank > 4, OCTET_UNSUPPORTED,
              "%d dimensions; Octet resizes [N, C, W] and [N, C, H, W]", x->rank);
    RETURN_IF(is_empty(scales) == is_empty(sizes), OCTET_INVALID_ARGUMENT,
              "one of scales and sizes must be given");
    bool by_size = !is_empty(sizes);
    if (by_size)
        FORWARD(oct_const_ints(g, n, 3, numbers, OCTET_MAX_RANK, &count));
    else {
        RETURN_IF(!scales->data, OCTET_UNSUPPORTED,
                  "scales must be a constant: shapes are planned before a run");
        RETURN_IF(scales->dtype != OCTET_F32 || scales->rank != 1, OCTET_INVALID_ARGUMENT,
                  "scales must be f32 [%d]", x->rank);
        count = (int)scales->dims[0];
    }
    RETURN_IF(count != x->rank, OCTET_INVALID_ARGUMENT, "%d scales or sizes for %d dimensions", count,
              x->rank);
    r->spatial = x->rank - 2;
    r->in[0] = r->out[0] = 1;
    r->scale[0] = 1.0f;
    for (int d = 0; d < x->rank; d++) {
        /* scales and sizes are in ONNX order, whatever the layout of x */
        int at = !n->channels_last || d == 0 ? d : d == 1 ? x->rank - 1 : d - 1;
        oct_value view = {.dims = {0}};
        float scale;
        int64_t out = 0;
        view.dims[d] = x->dims[at];
        FORWARD(read_dim(&view, scales, by_size ? numbers : NULL, d, &scale, &out));
        RETURN_IF(d < 2 && out != view.dims[d], OCTET_UNSUPPORTED, "only rows and columns can be resized");
        RETURN_IF(view.dims[d] == 0 && out != 0, OCTET_INVALID_ARGUMENT,
                  "nothing cannot be resized to something");
        if (d < 2)
            continue;
        RETURN_IF(out > MOST_RESIZED, OCTET_UNSUPPORTED, "%lld in dimension %d; at most %lld are supported",
                  (long long)out, d, (long long)MOST_RESIZED);
        r->in[d - 2 + 2 - r->spatial] = view.dims[d];
        r->out[d - 2 + 2 - r->spatial] = out;
        r->scale[d - 2 + 2 - r->spatial] = scale;
    }
    return OCTET_OK;
}

/* Where output position j lies in the input. */
static float original(const oct_resize *r, int d, int64_t j)
{
    float at = (float)j, scale = r->scale[d], in = (float)r->in[d], out = (float)r->out[d];
    if (strcmp(r->coordinates, "asymmetric") == 0)
        return at / scale;
    if (strcmp(r->coordinates, "tf_half_pixel_for_nn") == 0)
        return (at + 0.5f) / scale;
    if (strcmp(r->coordinates, "align_corners") == 0)
        return r->out[d] == 1 ? 0.0f : at * (in - 1.0f) / (out - 1.0f);
    if (strcmp(r->coordinates, "pytorch_half_pixel") == 0)
        return r->out[d] > 1 ? (at + 0.5f) / scale - 0.5f : 0.0f;
    return (at + 0.5f) / scale - 0.5f;
}

static int64_t nearest(const oct_resize *r, int d, float x)
{
    if (r->simple)
        return (int64_t)(r->scale[d] < 1.0f ? ceilf(x) : x);
    if (strcmp(r->nearest, "floor") == 0)
        return (int64_t)floorf(x);
    if (strcmp(r->nearest, "ceil") == 0)
        return (int64_t)ceilf(x);
    if (strcmp(r->nearest, "round_prefer_ceil") == 0)
        return (int64_t)roundf(x);
    return x == (float)(int64_t)x + 0.5f ? (int64_t)floorf(x) : (int64_t)roundf(x);
}

static int64_t inside(int64_t i, int64_t size)
{
    return i < 0 ? 0 : i >= size ? size - 1 : i;
}

void oct_resize_taps(const oct_resize *r, int d, oct_resize_tap *taps)
{
    for (int64_t j = 0; j < r->out[d]; j++) {
        oct_resize_tap *t = &taps[j];
        bool same = r->scale[d] == 1.0f && r->in[d] == r->out[d];
        float x = same ? (float)j : original(r, d, j);
        if (!r->linear) {
            int64_t i = same ? j : inside(nearest(r, d, x), r->in[d]);
            *t = (oct_resize_tap){(int32_t)i, (int32_t)i, 1.0f, 0.0f};
            continue;
        }
        x = fmaxf(0.0f, fminf(x, (float)(r->in[d] - 1)));
        int64_t i0 = inside((int64_t)x, r->in[d]), i1 = inside(i0 + 1, r->in[d]);
        *t = (oct_resize_tap){(int32_t)i0, (int32_t)i1, fabsf(x - (float)i1), fabsf(x - (float)i0)};
        if (i0 == i1)
            t->w0 = t->w1 = 0.5f;
    }
}
