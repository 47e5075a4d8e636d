/* The demo of liboctet: an int8 network reads handwritten digits. It uses the public API only and shows the
 * whole of it that a program needs: context, model, session, run, counters.
 *
 * It runs the pictures it is given, then the 360 held-out images, all in one batch and one by one, and
 * compares every score with the bytes that ONNX Runtime gave. Exit status 0: all as expected; 1: not; 2:
 * usage.
 */
#include "npy.h"
#include "picture.h"

#include <octet/octet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef DIGITS_DIR
#define DIGITS_DIR "."
#endif

enum {
    CLASSES = 10,
    PICTURES_MAX = 64,
    REPEATS = 25, /* timed runs of the batch; each image alone is timed once */
    /* Of digits_int8.onnx, see README.md: 3x3x1x16 + 3x3x16x32 + 3x3x32x64 + 64x10 weights and a bias a
       channel. */
    WEIGHTS = 144 + 4608 + 18432 + 640,
    BIASES = 16 + 32 + 64 + 10
};

typedef struct options {
    const char *dir, *device;
    const char *pictures[PICTURES_MAX];
    int picture_count;
    int held_out; /* 0: the pictures only */
} options;

/* The data of the held-out images: what goes in and what must come out. */
typedef struct held_out {
    octet_tensor images, labels, expected;
    float *input; /* [count][8*8], ink from 0 to 1 */
    size_t count;
} held_out;

static const char usage[] =
    "usage: digits [--dir DIR] [--device INDEX|NAME] [--image FILE.png]... [--only-pictures]\n"
    "\n"
    "Reads handwritten digits with an int8 network on an OpenCL device.\n"
    "  --image FILE.png   what is on this picture? White ink on black, or dark ink on a light page.\n"
    "  --only-pictures    leave out the 360 held-out images\n"
    "  --device WHICH     a device's index or part of its name (`octet devices` lists them)\n"
    "  --dir DIR          where digits_int8.onnx and its test data are (default " DIGITS_DIR ")\n";

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

static int octet_failed(octet_status status)
{
    if (status != OCTET_OK)
        fprintf(stderr, "digits: %s\n", octet_last_error());
    return status != OCTET_OK;
}

/* Scores [count][10] of images [count][64]; 0 or -1. */
static int score(octet_session *session, const float *images, size_t count, float *scores)
{
    octet_tensor in = {OCTET_F32, 4, {(int64_t)count, 1, PICTURE_SIDE, PICTURE_SIDE}, NULL, 0};
    octet_tensor out = {OCTET_F32, 2, {(int64_t)count, CLASSES}, NULL, 0};
    in.data = (float *)images; /* read only */
    in.data_bytes = octet_tensor_bytes(&in);
    out.data = scores;
    out.data_bytes = octet_tensor_bytes(&out);
    return octet_failed(octet_session_run(session, &in, 1, &out, 1)) ? -1 : 0;
}

static int best(const float scores[CLASSES])
{
    int digit = 0;
    for (int i = 1; i < CLASSES; i++)
        if (scores[i] > scores[digit])
            digit = i;
    return digit;
}

static int show_picture(octet_session *session, const char *path)
{
    float pixels[PICTURE_PIXELS], scores[CLASSES];
    if (picture_read(path, pixels) != 0 || score(session, pixels, 1, scores) != 0)
        return -1;
    int first = best(scores), second = first == 0 ? 1 : 0;
    for (int i = 0; i < CLASSES; i++)
        if (i != first && scores[i] > scores[second])
            second = i;
    printf("%s\n\n", path);
    picture_draw(pixels, 4);
    printf("\n    This is a %d (score %.1f; next best %d with %.1f).\n\n", first, (double)scores[first],
           second, (double)scores[second]);
    return 0;
}

static void release(held_out *data)
{
    octet_tensor_free(&data->images);
    octet_tensor_free(&data->labels);
    octet_tensor_free(&data->expected);
    free(data->input);
}

static int read_npy_in(const char *dir, const char *name, octet_dtype dtype, octet_tensor *tensor)
{
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path || npy_read(path, tensor) != 0)
        return -1;
    if (tensor->dtype != dtype || tensor->rank == 0) {
        fprintf(stderr, "%s: not the kind of data that make_model.py writes\n", path);
        return -1;
    }
    return 0;
}

/* Read the files and turn the ink counts 0..16 into 0..1. */
static int load_held_out(const char *dir, held_out *data)
{
    if (read_npy_in(dir, "test_images.npy", OCTET_U8, &data->images) != 0 ||
        read_npy_in(dir, "test_labels.npy", OCTET_U8, &data->labels) != 0 ||
        read_npy_in(dir, "expected_scores.npy", OCTET_F32, &data->expected) != 0)
        return -1;
    data->count = (size_t)data->images.dims[0];
    size_t pixels = data->count * PICTURE_PIXELS;
    if (data->count == 0 || octet_tensor_bytes(&data->images) != pixels ||
        octet_tensor_bytes(&data->labels) != data->count ||
        octet_tensor_bytes(&data->expected) != data->count * CLASSES * sizeof(float)) {
        fprintf(stderr, "%s: images, labels and scores are not of the same number\n", dir);
        return -1;
    }
    data->input = malloc(pixels * sizeof *data->input);
    if (!data->input) {
        fprintf(stderr, "digits: out of memory\n");
        return -1;
    }
    for (size_t i = 0; i < pixels; i++)
        data->input[i] = (float)((const uint8_t *)data->images.data)[i] / 16;
    return 0;
}

/* What was found on the held-out images. */
typedef struct report {
    uint64_t weight_bytes; /* up, before the timed runs */
    octet_counters timed;  /* of REPEATS batches */
    size_t right;
    int batch_equal, single_equal; /* the same bytes as expected */
    double batch_ms, single_ms;    /* medians */
} report;

/* All images at once, REPEATS times after one run that plans for the shape. */
static int run_batches(octet_context *context, octet_session *session, const held_out *data, float *scores,
                       report *found)
{
    double times[REPEATS];
    if (score(session, data->input, data->count, scores) != 0)
        return -1;
    found->batch_equal = memcmp(scores, data->expected.data, octet_tensor_bytes(&data->expected)) == 0;
    for (size_t i = 0; i < data->count; i++)
        found->right += best(scores + i * CLASSES) == ((const uint8_t *)data->labels.data)[i];

    octet_counters before;
    OCTET_INIT(before);
    if (octet_failed(octet_context_counters(context, &before)))
        return -1;
    found->weight_bytes = before.weight_bytes_up;
    octet_context_counters_reset(context);
    for (int i = 0; i < REPEATS; i++) {
        double start = now_ms();
        if (score(session, data->input, data->count, scores) != 0)
            return -1;
        times[i] = now_ms() - start;
    }
    found->batch_ms = median(times, REPEATS);
    OCTET_INIT(found->timed);
    return octet_failed(octet_context_counters(context, &found->timed)) ? -1 : 0;
}

/* Each image alone, after one run that plans for the shape. */
static int run_singles(octet_session *session, const held_out *data, float *scores, report *found)
{
    double *times = malloc(data->count * sizeof *times);
    int result = -1;
    if (!times || score(session, data->input, 1, scores) != 0)
        goto done;
    for (size_t i = 0; i < data->count; i++) {
        double start = now_ms();
        if (score(session, data->input + i * PICTURE_PIXELS, 1, scores + i * CLASSES) != 0)
            goto done;
        times[i] = now_ms() - start;
    }
    found->single_equal = memcmp(scores, data->expected.data, octet_tensor_bytes(&data->expected)) == 0;
    found->single_ms = median(times, data->count);
    result = 0;
done:
    free(times);
    return result;
}

static void print_report(const report *found, const held_out *data)
{
    size_t count = data->count;
    size_t image_bytes = count * PICTURE_PIXELS * sizeof(float),
           score_bytes = count * CLASSES * sizeof(float);
    printf("%zu images that training never saw\n", count);
    printf("    read rightly                %zu of %zu, %.1f%%\n", found->right, count,
           100.0 * (double)found->right / (double)count);
    printf(
        "    scores equal to the byte    in one batch: %s, one by one: %s (to ONNX Runtime's, %zu bytes)\n",
        found->batch_equal ? "yes" : "NO", found->single_equal ? "yes" : "NO", score_bytes);
    printf("    time, median                %.2f ms the batch (%.1f us an image), %.3f ms an image alone\n\n",
           found->batch_ms, found->batch_ms * 1e3 / (double)count, found->single_ms);
    printf("Bytes over the bus                  octet    float32\n");
    printf("    weights, once            %12llu %10zu\n", (unsigned long long)found->weight_bytes,
           (size_t)(WEIGHTS + BIASES) * sizeof(float));
    printf("    images up, each batch    %12llu %10zu\n",
           (unsigned long long)found->timed.input_bytes_up / REPEATS, image_bytes);
    printf("    scores down, each batch  %12llu %10zu\n",
           (unsigned long long)found->timed.output_bytes_down / REPEATS, score_bytes);
    printf("    weights, each batch      %12llu %10d\n",
           (unsigned long long)found->timed.weight_bytes_up / REPEATS, 0);
    printf("Weights come with their scales, zero points and biases. This network takes and gives float32, so "
           "images\n"
           "and scores are as large either way; what lies between stays on the device, 8 bits a value.\n");
}

/* 0 when all is as it should be, else -1. */
static int run_held_out(octet_context *context, octet_session *session, const held_out *data)
{
    report found;
    memset(&found, 0, sizeof found);
    float *scores = malloc(octet_tensor_bytes(&data->expected));
    int result = -1;
    if (scores && run_batches(context, session, data, scores, &found) == 0 &&
        run_singles(session, data, scores, &found) == 0) {
        print_report(&found, data);
        if (found.batch_equal && found.single_equal && found.right * 100 >= data->count * 97 &&
            found.timed.weight_bytes_up == 0)
            result = 0;
        else
            fprintf(stderr, "digits: this is not the expected result\n");
    }
    free(scores);
    return result;
}

static int run(const options *chosen)
{
    octet_context_desc desc;
    octet_device_info device;
    octet_context *context = NULL;
    octet_model *model = NULL;
    octet_session *session = NULL;
    held_out data;
    char path[4096];
    int result = -1;

    memset(&data, 0, sizeof data);
    OCTET_INIT(desc);
    OCTET_INIT(device);
    desc.device = chosen->device;
    if ((size_t)snprintf(path, sizeof path, "%s/digits_int8.onnx", chosen->dir) >= sizeof path)
        goto done;
    if (octet_failed(octet_context_create(&desc, &context)) ||
        octet_failed(octet_context_device(context, &device)) ||
        octet_failed(octet_model_load(context, path, NULL, &model)) ||
        octet_failed(octet_session_create(model, NULL, &session)))
        goto done;
    printf("Octet %s on %s (%s)\n\n", octet_version(), device.name, device.platform);
    for (int i = 0; i < chosen->picture_count; i++)
        if (show_picture(session, chosen->pictures[i]) != 0)
            goto done;
    result = 0;
    if (chosen->held_out) {
        result = load_held_out(chosen->dir, &data);
        if (result == 0)
            result = run_held_out(context, session, &data);
    }
done:
    release(&data);
    octet_session_destroy(session);
    octet_model_destroy(model);
    octet_context_destroy(context);
    return result;
}

/* 0, or -1 for what cannot be understood. */
static int parse(int argc, char **argv, options *chosen)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--only-pictures") == 0) {
            chosen->held_out = 0;
            continue;
        }
        if (!value)
            return -1;
        if (strcmp(argv[i], "--image") == 0 && chosen->picture_count < PICTURES_MAX)
            chosen->pictures[chosen->picture_count++] = value;
        else if (strcmp(argv[i], "--dir") == 0)
            chosen->dir = value;
        else if (strcmp(argv[i], "--device") == 0)
            chosen->device = value;
        else
            return -1;
        i++;
    }
    return 0;
}

int main(int argc, char **argv)
{
    options chosen = {.dir = DIGITS_DIR, .held_out = 1};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (parse(argc, argv, &chosen) != 0) {
        fputs(usage, stderr);
        return 2;
    }
    return run(&chosen) == 0 ? 0 : 1;
}
