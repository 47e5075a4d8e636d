/* See samples.h. */
#include "samples.h"
#include "npy.h"
#include "picture.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <octet/quantize.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Where a file's arrays go. */
typedef struct reading {
    const cli_options *options;
    sample_set *set;
    sample_stream *only; /* the input that a NAME= names, or the only one; NULL: by the array's name */
    const char *path;
    uint64_t bytes, limit; /* that samples take, and may take */
    float mean[3], std[3], scale;
    int height, width; /* of pictures where the network does not say; 0: the picture's own */
} reading;

/* ---- arrays to samples --------------------------------------------------------------------------------- */

static int push(sample_stream *s, const octet_tensor *t)
{
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 16;
        octet_tensor *items = realloc(s->items, capacity * sizeof *items);
        if (!items)
            return cli_error("out of memory");
        s->items = items;
        s->capacity = capacity;
    }
    s->items[s->count++] = *t;
    return EXIT_DONE;
}

/* May so many samples like this be made? What each takes besides its numbers counts too. */
static int take_room(reading *r, const sample_stream *s, const octet_tensor *one, int64_t samples)
{
    const uint64_t each = octet_tensor_bytes(one) + 2 * sizeof *one;
    if (samples && !octet_tensor_bytes(one)) {
        char text[256];
        return cli_error("%s: its samples for input \"%s\", %s, hold nothing, or too much", r->path,
                         s->info.name, shape_text(text, sizeof text, one->dtype, one->rank, one->dims));
    }
    if ((uint64_t)samples > (r->limit - r->bytes) / each)
        return cli_error(
            "%s: %lld samples of %llu bytes; with these samples take more than %llu bytes of memory: give "
            "fewer (--samples N), or raise --memory-limit",
            r->path, (long long)samples, (unsigned long long)each, (unsigned long long)r->limit);
    r->bytes += (uint64_t)samples * each;
    return EXIT_DONE;
}

/* Elements in the input's type: the same, or numbers for a float input, 8-bit ones scaled as pictures are. */
static int convert(const reading *r, const sample_stream *s, const octet_tensor *from, int64_t first,
                   octet_tensor *to)
{
    int64_t count = tensor_elements(to);
    size_t each = octet_dtype_bytes(from->dtype);
    if (from->dtype == to->dtype) {
        memcpy(to->data, (const char *)from->data + (size_t)first * each, (size_t)count * each);
        return EXIT_DONE;
    }
    if (to->dtype != OCTET_F32)
        return cli_error("%s: its elements are %s; input \"%s\" wants %s", r->path,
                         octet_dtype_name(from->dtype), s->info.name, octet_dtype_name(to->dtype));
    double scale = from->dtype == OCTET_U8 ? r->scale : 1;
    for (int64_t i = 0; i < count; i++)
        ((float *)to->data)[i] = (float)(tensor_value(from, first + i) * scale);
    return EXIT_DONE;
}

/* An array that is as many samples as its first dimension holds. */
static int add_array(reading *r, sample_stream *s, const octet_tensor *t)
{
    const octet_value_info *want = &s->info;
    int extra = t->rank - want->rank; /* 1: the first dimension counts samples */
    int64_t batch = r->options->batch ? r->options->batch : 1, samples = 1, fixed = 0;
    octet_tensor one = {.dtype = want->dtype, .rank = want->rank};
    bool fits = extra == 0 || extra == 1 || (extra == -1 && want->rank && want->dims[0] < 2);
    for (int d = 0; fits && d < want->rank; d++) {
        int at = d + extra;
        one.dims[d] = at < 0 ? 1 : t->dims[at];
        fits = (want->dims[d] < 0 || one.dims[d] == want->dims[d] || (d == 0 && extra == 0));
    }
    if (extra == 1)
        samples = t->dims[0];
    if (fits && extra == 0 && want->rank) {
        fixed = want->dims[0] > 0 ? want->dims[0] : batch;
        fixed = fixed > t->dims[0] && want->dims[0] < 0 ? t->dims[0] : fixed;
        fits = fixed > 0 && t->dims[0] >= fixed;
        samples = fits ? t->dims[0] / fixed : 0;
        one.dims[0] = fixed;
    }
    if (!fits) {
        char a[256], b[256];
        return cli_error("%s: %s does not fit input \"%s\", %s", r->path,
                         shape_text(a, sizeof a, t->dtype, t->rank, t->dims), want->name,
                         shape_text(b, sizeof b, want->dtype, want->rank, want->dims));
    }
    const int64_t most = r->options->samples - (int64_t)s->count;
    if (r->options->samples && samples > most)
        samples = most > 0 ? most : 0;
    if (take_room(r, s, &one, samples) != EXIT_DONE)
        return EXIT_FAILED;
    for (int64_t i = 0; i < samples; i++) {
        octet_tensor copy = one;
        if (octet_tensor_alloc(&copy) != OCTET_OK)
            return cli_octet_error();
        int status = convert(r, s, t, i * tensor_elements(&copy), &copy);
        status = status == EXIT_DONE ? push(s, &copy) : status;
        if (status != EXIT_DONE) {
            octet_tensor_free(&copy);
            return status;
        }
    }
    return EXIT_DONE;
}

static int take_array(void *user, const char *name, octet_tensor *tensor)
{
    reading *r = user;
    sample_stream *s = r->only;
    for (size_t i = 0; i < r->set->inputs; i++) {
        if (strcmp(r->set->streams[i].info.name, name) == 0)
            s = &r->set->streams[i];
    }
    int status = s ? add_array(r, s, tensor) : EXIT_DONE; /* an array that no input has the name of */
    octet_tensor_free(tensor);
    return status;
}

/* ---- pictures ------------------------------------------------------------------------------------------ */

static void normalize(const reading *r, octet_tensor *t, int channels)
{
    int64_t each = t->dims[t->rank - 1] * t->dims[t->rank - 2], count = tensor_elements(t);
    float *x = t->data;
    if (channels == 3 && r->options->bgr) {
        for (int64_t i = 0; i < each; i++) {
            float red = x[i];
            x[i] = x[2 * each + i];
            x[2 * each + i] = red;
        }
    }
    for (int64_t i = 0; i < count; i++) {
        int c = (int)(i / each % channels);
        x[i] = (x[i] * 255 * r->scale - r->mean[c]) / r->std[c];
    }
}

static int add_picture(reading *r, sample_stream *s)
{
    const octet_value_info *want = &s->info;
    picture image;
    int64_t channels = want->rank == 4 ? want->dims[1] : 0;
    if ((channels != 1 && channels != 3 && channels >= 0) || want->rank != 4 ||
        (want->dtype != OCTET_F32 && want->dtype != OCTET_U8))
        return cli_error("%s: input \"%s\" is no picture: f32 or u8 [N, 1 or 3, height, width]", r->path,
                         want->name);
    if (picture_read(r->path, channels == 1 ? 1 : 3, &image) != EXIT_DONE)
        return EXIT_FAILED;
    octet_tensor t = {.dtype = want->dtype, .rank = 4, .dims = {1, image.channels, 0, 0}};
    t.dims[2] = want->dims[2] > 0 ? want->dims[2] : r->height ? r->height : image.height;
    t.dims[3] = want->dims[3] > 0 ? want->dims[3] : r->width ? r->width : image.width;
    int status = take_room(r, s, &t, 1);
    if (status == EXIT_DONE && octet_tensor_alloc(&t) != OCTET_OK)
        status = cli_octet_error();
    if (status == EXIT_DONE) {
        picture_fill(&image, &t);
        if (t.dtype == OCTET_F32)
            normalize(r, &t, image.channels);
        status = push(s, &t);
    }
    picture_free(&image);
    return status;
}

/* ---- files --------------------------------------------------------------------------------------------- */

static bool ends(const char *path, const char *ending)
{
    size_t a = strlen(path), b = strlen(ending);
    return a > b && strcmp(path + a - b, ending) == 0;
}

static bool is_picture(const char *path)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg", ".PNG", ".JPG", ".JPEG"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (ends(path, endings[i]))
            return true;
    }
    return false;
}

static bool is_sample(const char *path)
{
    return ends(path, ".npy") || ends(path, ".npz") || ends(path, ".pb") || is_picture(path);
}

static int add_file(reading *r)
{
    octet_tensor t;
    if (ends(r->path, ".npz"))
        return npz_read(r->path, take_array, r);
    if (!r->only)
        return cli_usage("%s: the model has several inputs: which is it for? NAME=%s", r->path, r->path);
    if (is_picture(r->path))
        return add_picture(r, r->only);
    if (tensor_read(r->path, &t) != EXIT_DONE)
        return EXIT_FAILED;
    int status = add_array(r, r->only, &t);
    octet_tensor_free(&t);
    return status;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_folder(const char *folder, char ***names, size_t *count)
{
    size_t capacity = 0;
    DIR *dir = opendir(folder);
    if (!dir)
        return cli_error("%s: %s", folder, strerror(errno));
    const struct dirent *entry;
    int status = EXIT_DONE;
    while (status == EXIT_DONE && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.' || !is_sample(entry->d_name))
            continue;
        if (*count == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            char **more = realloc(*names, capacity * sizeof *more);
            if (!more) {
                status = cli_error("out of memory");
                break;
            }
            *names = more;
        }
        size_t size = strlen(folder) + strlen(entry->d_name) + 2;
        char *path = malloc(size);
        if (path) {
            snprintf(path, size, "%s/%s", folder, entry->d_name);
            (*names)[(*count)++] = path;
        } else
            status = cli_error("out of memory");
    }
    closedir(dir);
    if (*count)
        qsort(*names, *count, sizeof **names, by_name);
    return status;
}

static int add_path(reading *r, const char *path)
{
    struct stat about;
    char **names = NULL;
    size_t count = 0;
    r->path = path;
    if (stat(path, &about) != 0)
        return cli_error("%s: %s", path, strerror(errno));
    if (!S_ISDIR(about.st_mode))
        return add_file(r);
    int status = list_folder(path, &names, &count);
    if (status == EXIT_DONE && !count)
        status =
            cli_error("%s: no calibration data: there is no .npy, .npz, .pb, PNG or JPEG file in it", path);
    for (size_t i = 0; i < count; i++) {
        r->path = names[i];
        bool enough = r->only && r->options->samples && r->only->count >= (size_t)r->options->samples;
        if (status == EXIT_DONE && !enough)
            status = add_file(r);
        free(names[i]);
    }
    free(names);
    return status;
}

/* NAME=PATH, where NAME is an input; anything else is a path. */
static int add_text(reading *r, const char *text)
{
    const char *equals = strchr(text, '=');
    size_t inputs = r->set->inputs;
    r->only = inputs == 1 ? &r->set->streams[0] : NULL;
    for (size_t i = 0; equals && i < inputs; i++) {
        const char *name = r->set->streams[i].info.name;
        if (strlen(name) == (size_t)(equals - text) && strncmp(name, text, strlen(name)) == 0) {
            r->only = &r->set->streams[i];
            return add_path(r, equals + 1);
        }
    }
    struct stat about;
    if (equals && stat(text, &about) != 0)
        return cli_error("the model has no input \"%.*s\"; its first is \"%s\"", (int)(equals - text), text,
                         inputs ? r->set->streams[0].info.name : "");
    return add_path(r, text);
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

/* "0.5" for all three, or "0.485,0.456,0.406". */
static int read_three(const char *option, const char *text, float *out)
{
    if (!text)
        return EXIT_DONE;
    for (int i = 0; i < 3; i++) {
        char *end;
        out[i] = strtof(text, &end);
        if (end == text || !isfinite(out[i]) || (*end && (*end != ',' || i == 2)))
            return cli_usage("--%s takes one number, or three with commas between", option);
        if (!*end && i == 0) {
            out[1] = out[2] = out[0];
            return EXIT_DONE;
        }
        text = *end ? end + 1 : end;
    }
    return EXIT_DONE;
}

static int read_preprocessing(const cli_options *options, reading *r)
{
    float scale[3] = {1 / 255.0f, 0, 0};
    r->std[0] = r->std[1] = r->std[2] = 1;
    int status = read_three("mean", options->mean, r->mean);
    if (status == EXIT_DONE)
        status = read_three("std", options->std, r->std);
    if (status == EXIT_DONE)
        status = read_three("scale", options->scale, scale);
    r->scale = scale[0];
    if (status == EXIT_DONE && (r->std[0] == 0 || r->std[1] == 0 || r->std[2] == 0))
        return cli_usage("--std must not be 0");
    int used = 0;
    if (status == EXIT_DONE && options->size &&
        (sscanf(options->size, "%6dx%6d%n", &r->height, &r->width, &used) != 2 || options->size[used] ||
         r->height < 1 || r->width < 1))
        return cli_usage("--size takes HEIGHTxWIDTH, not \"%s\"", options->size);
    return status;
}

/* As many samples as every input has; one of which there is one is the same in all. */
static int count_samples(const cli_options *options, sample_set *set)
{
    for (size_t i = 0; i < set->inputs; i++) {
        const sample_stream *s = &set->streams[i];
        if (!s->count)
            return cli_error("input \"%s\" has no samples: no file is for it; give %s=FOLDER", s->info.name,
                             s->info.name);
        if (s->count == 1 && set->count > 1)
            continue;
        if (set->count > 1 && s->count != set->count)
            return cli_error("input \"%s\" has %zu samples, the inputs before it %zu", s->info.name, s->count,
                             set->count);
        set->count = s->count;
    }
    if (options->samples && set->count > (size_t)options->samples)
        set->count = (size_t)options->samples;
    return EXIT_DONE;
}

int samples_read(const cli_options *options, const cli_list *texts, const octet_value_info *infos,
                 size_t inputs, sample_set *set)
{
    reading r = {.options = options,
                 .set = set,
                 .limit = options->memory_limit ? options->memory_limit : octet_sample_memory_limit()};
    *set = (sample_set){.inputs = inputs, .streams = calloc(inputs + 1, sizeof *set->streams)};
    if (!set->streams)
        return cli_error("out of memory");
    for (size_t i = 0; i < inputs; i++)
        set->streams[i].info = infos[i];
    int status = read_preprocessing(options, &r);
    for (size_t i = 0; i < texts->count && status == EXIT_DONE; i++)
        status = add_text(&r, texts->items[i]);
    return status == EXIT_DONE ? count_samples(options, set) : status;
}

void samples_free(sample_set *set)
{
    for (size_t i = 0; i < set->inputs && set->streams; i++) {
        for (size_t j = 0; j < set->streams[i].count; j++)
            octet_tensor_free(&set->streams[i].items[j]);
        free(set->streams[i].items);
    }
    free(set->streams);
    memset(set, 0, sizeof *set);
}

void samples_get(const sample_set *set, size_t i, octet_tensor *inputs)
{
    for (size_t k = 0; k < set->inputs; k++)
        inputs[k] = set->streams[k].items[set->streams[k].count == 1 ? 0 : i];
}
