/* octet bench --gemm and --shapes: matrix products with resident B, operands on the device. */
#include "command_bench.h"
#include "json.h"
#include "used_files.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <octet/experimental.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES_MIN = 5, SAMPLES_MAX = 1000, LINE_CHARS = 256, DIM_MAX = 1 << 24, TYPES_CHARS = 16 };

typedef struct shape {
    int64_t m, n, k;
    char types[TYPES_CHARS]; /* as given, or the default */
    octet_dtype a, b, c;
} shape;

typedef struct shape_list {
    shape *items;
    size_t count;
} shape_list;

/* Take a type from *at that is one of `allowed`. */
static bool take_type(const char **at, const octet_dtype *allowed, octet_dtype *dtype)
{
    for (; *allowed != OCTET_DTYPE_NONE; allowed++) {
        const char *name = octet_dtype_name(*allowed);
        if (strncmp(*at, name, strlen(name)) == 0) {
            *at += strlen(name);
            *dtype = *allowed;
            return true;
        }
    }
    return false;
}

static bool parse_types(const char *text, shape *s)
{
    static const octet_dtype operands[] = {OCTET_U8, OCTET_S8, OCTET_DTYPE_NONE};
    static const octet_dtype results[] = {OCTET_S32, OCTET_U8, OCTET_S8, OCTET_F32, OCTET_DTYPE_NONE};
    const char *at = text;
    snprintf(s->types, sizeof s->types, "%s", text);
    return take_type(&at, operands, &s->a) && take_type(&at, operands, &s->b) &&
           take_type(&at, results, &s->c) && !*at;
}

static bool parse_shape(const char *text, shape *s)
{
    int64_t *const dims[] = {&s->m, &s->n, &s->k};
    for (int i = 0; i < 3; i++) {
        char *end;
        if (!isdigit((unsigned char)*text))
            return false;
        errno = 0;
        long long dim = strtoll(text, &end, 10);
        if (errno || dim > DIM_MAX || (i < 2 && *end != 'x'))
            return false;
        *dims[i] = dim;
        text = end + (i < 2);
    }
    if (*text == '\0')
        return parse_types("u8s8s32", s);
    return *text == ':' && parse_types(text + 1, s);
}

/* wrong: the status of a text that is none. */
static int add_shape(shape_list *list, const char *text, const char *where, int wrong)
{
    shape s = {0};
    if (!parse_shape(text, &s)) {
        (void)cli_error("%s: \"%s\" is not MxNxK[:TYPES], as 512x512x512:u8s8s32; TYPES are u8|s8, u8|s8, "
                        "s32|u8|s8|f32",
                        where, text);
        return wrong;
    }
    shape *items = realloc(list->items, (list->count + 1) * sizeof *items);
    if (!items)
        return cli_error("out of memory");
    list->items = items;
    items[list->count++] = s;
    return EXIT_DONE;
}

static int read_shapes(const char *path, shape_list *list)
{
    char line[LINE_CHARS], where[LINE_CHARS];
    size_t bytes;
    FILE *file;
    int status = input_open(path, &file, &bytes);
    if (status != EXIT_DONE)
        return status;
    for (int number = 1; status == EXIT_DONE && fgets(line, sizeof line, file); number++) {
        line[strcspn(line, "#\r\n")] = '\0';
        size_t start = strspn(line, " \t"), end = strlen(line);
        while (end > start && (line[end - 1] == ' ' || line[end - 1] == '\t'))
            line[--end] = '\0';
        snprintf(where, sizeof where, "%s:%d", path, number);
        if (end > start)
            status = add_shape(list, line + start, where, EXIT_FAILED);
    }
    if (status == EXIT_DONE && ferror(file))
        status = cli_error("%s: cannot be read", path);
    fclose(file);
    if (status == EXIT_DONE && !list->count)
        status = cli_error("%s: no shapes in it", path);
    return status;
}

/* Zero points in the middle of unsigned ranges, and a result scale that spreads a requantized result over its
 * range: a sum of k products of uniform bytes has a deviation of about 5500 sqrt(k). */
static void describe(const shape *s, const cli_options *options, octet_gemm_desc *d, const int32_t *b_zero)
{
    OCTET_INIT(*d);
    d->m = s->m;
    d->n = s->n;
    d->k = s->k;
    d->a_dtype = s->a;
    d->b_dtype = s->b;
    d->a_zero = s->a == OCTET_U8 ? 128 : 0;
    if (s->b == OCTET_U8) {
        d->b_zeros = b_zero;
        d->b_zero_count = 1;
    }
    d->variant = options->variant;
    d->output = s->c == OCTET_S32 ? OCTET_OUT_S32 : s->c == OCTET_F32 ? OCTET_OUT_F32 : OCTET_OUT_Q8;
    if (d->output == OCTET_OUT_Q8) {
        d->c_dtype = s->c;
        d->c_zero = s->c == OCTET_U8 ? 128 : 0;
        d->c_scale = (float)(5500 * sqrt((double)(s->k ? s->k : 1)) / 48);
    }
}

/* Median seconds of one run: each sample enqueues as many as take a measurable time. */
static int measure(const cli_options *options, octet_gemm *gemm, double *median)
{
    double times[SAMPLES_MAX], start = cli_seconds_now(), one = 0;
    size_t count = 0, each = 1;
    for (; each < 4096; each *= 4) { /* also the warm-up */
        if (octet_gemm_time(gemm, each, &one) != OCTET_OK)
            return cli_octet_error();
        if (one > 0.01)
            break;
    }
    while (count < SAMPLES_MIN ||
           (count < SAMPLES_MAX && cli_seconds_now() - start < (double)options->seconds)) {
        if (octet_gemm_time(gemm, each, &one) != OCTET_OK)
            return cli_octet_error();
        times[count++] = one / (double)each;
    }
    *median = bench_median(times, count);
    return EXIT_DONE;
}

static void report(const shape *s, const octet_gemm *gemm, double seconds, double ceiling, FILE *json)
{
    double gops = seconds > 0 ? 2.0 * (double)s->m * (double)s->n * (double)s->k / seconds * 1e-9 : 0;
    char name[64], share[64] = "ceiling unknown";
    if (ceiling > 0)
        snprintf(share, sizeof share, "%.1f%% of %.1f", 100 * gops / ceiling, ceiling);
    snprintf(name, sizeof name, "%lldx%lldx%lld:%s", (long long)s->m, (long long)s->n, (long long)s->k,
             s->types);
    printf("%-28s %12.4f ms  %10.2f GOPS  %s  %s\n", name, seconds * 1e3, gops, share,
           octet_gemm_variant(gemm));
    if (!json)
        return;
    fprintf(
        json,
        "{\"m\": %lld, \"n\": %lld, \"k\": %lld, \"types\": \"%s\", \"median_ms\": %.6g, \"gops\": %.6g, ",
        (long long)s->m, (long long)s->n, (long long)s->k, s->types, seconds * 1e3, gops);
    fprintf(json, "\"ceiling_gops\": ");
    json_known(json, ceiling);
    fprintf(json, ", \"variant\": ");
    json_string(json, octet_gemm_variant(gemm));
    fprintf(json, "}");
}

static int bench_shape(const cli_options *options, octet_context *context, const shape *s, double ceiling,
                       FILE *json)
{
    const int32_t b_zero = 128;
    uint64_t state = (uint64_t)options->seed * 0x9E3779B97F4A7C15u + 1;
    size_t a_bytes = (size_t)(s->m * s->k), b_bytes = (size_t)(s->k * s->n);
    size_t c_bytes = (size_t)(s->m * s->n) * octet_dtype_bytes(s->c);
    unsigned char *a = malloc(a_bytes + 1), *b = malloc(b_bytes + 1), *c = malloc(c_bytes + 1);
    octet_gemm_desc desc;
    octet_gemm *gemm = NULL;
    double seconds = 0;
    int status = EXIT_DONE;
    cli_progress(options, "%lldx%lldx%lld:%s ...", (long long)s->m, (long long)s->n, (long long)s->k,
                 s->types);
    if (!a || !b || !c) {
        status =
            cli_error("out of memory for %lldx%lldx%lld", (long long)s->m, (long long)s->n, (long long)s->k);
    } else {
        bench_random(&state, s->a, a, a_bytes);
        bench_random(&state, s->b, b, b_bytes);
        describe(s, options, &desc, &b_zero);
        if (octet_gemm_create(context, &desc, b, &gemm) != OCTET_OK ||
            octet_gemm_run(gemm, a, NULL, c) != OCTET_OK)
            status = cli_octet_error();
    }
    if (status == EXIT_DONE)
        status = measure(options, gemm, &seconds);
    cli_progress_end(options);
    if (status == EXIT_DONE)
        report(s, gemm, seconds, ceiling, json);
    octet_gemm_destroy(gemm);
    free(a);
    free(b);
    free(c);
    return status;
}

int bench_check_gemms(const cli_options *options)
{
    shape_list list = {0};
    int status = EXIT_DONE;
    for (size_t i = 0; i < options->gemms.count && status == EXIT_DONE; i++)
        status = add_shape(&list, options->gemms.items[i], "--gemm", EXIT_USAGE);
    free(list.items);
    return status;
}

/* Those of --gemm and --shapes. */
static int take_shapes(const cli_options *options, shape_list *list)
{
    int status = EXIT_DONE;
    for (size_t i = 0; i < options->gemms.count && status == EXIT_DONE; i++)
        status = add_shape(list, options->gemms.items[i], "--gemm", EXIT_USAGE);
    if (status == EXIT_DONE && options->shapes)
        status = read_shapes(options->shapes, list);
    return status;
}

int bench_each_product(const cli_options *options, bench_product_fn *fn, void *user)
{
    const int32_t b_zero = 128;
    shape_list list = {0};
    octet_gemm_desc desc;
    int status = take_shapes(options, &list);
    for (size_t i = 0; i < list.count && status == EXIT_DONE; i++) {
        describe(&list.items[i], options, &desc, &b_zero);
        status = fn(user, &desc);
    }
    free(list.items);
    return status;
}

int bench_gemms(const cli_options *options, octet_context *context, FILE *json)
{
    shape_list list = {0};
    int status = take_shapes(options, &list);
    double ceiling = status == EXIT_DONE ? bench_ceiling(context) : 0;
    bool many = list.count > 1;
    if (json && many)
        fprintf(json, "[\n");
    for (size_t i = 0; i < list.count && status == EXIT_DONE; i++) {
        status = bench_shape(options, context, &list.items[i], ceiling, json);
        if (json)
            fprintf(json, i + 1 < list.count ? ",\n" : "\n");
    }
    if (json && many)
        fprintf(json, "]\n");
    free(list.items);
    return status;
}
