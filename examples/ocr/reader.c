/* The sizes and thresholds are those that the networks were published with; see reader.h. */
#include "reader.h"
#include "cut.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CERTAIN_TURN 0.9f /* that a line is upside down */
#define CERTAIN_TEXT 0.5
enum {
    BATCH = 6,
    LINE_HEIGHT = 48,
    DIRECTION_WIDTH = 192,
    DIRECTION_SEEN =
        2 * DIRECTION_WIDTH, /* the start of a line; all of a long one in 192 columns is a blur */
    LINE_WIDTH_LEAST = 320,
    LINE_WIDTH_MOST = 3200,
    LINE_WIDTH_STEP = 64, /* few widths, as each new shape has to be planned */
    PAGE_STEP = 32,       /* of the detection network, which halves its input five times */
    PAGE_LEAST = 736,     /* the shorter side */
    PAGE_MOST = 2000      /* the longer */
};

static const char *const network_names[NETWORKS] = {"det", "cls", "rec"};

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int octet_failed(octet_status status)
{
    if (status != OCTET_OK)
        fprintf(stderr, "ocr: %s\n", octet_last_error());
    return status != OCTET_OK;
}

static int no_memory(void)
{
    fprintf(stderr, "ocr: out of memory\n");
    return -1;
}

/* folder/name.ending in path[4096]. */
static int path_of(char path[4096], const char *folder, const char *name, const char *ending)
{
    if ((size_t)snprintf(path, 4096, "%s/%s%s", folder, name, ending) < 4096)
        return 0;
    fprintf(stderr, "ocr: %s: too long a path\n", folder);
    return -1;
}

int reader_open(reader *r, const char *folder, const char *device)
{
    octet_context_desc desc;
    char path[4096];
    *r = (reader){0};
    OCTET_INIT(desc);
    desc.device = device;
    if (path_of(path, folder, "characters", ".txt") != 0 || alphabet_read(path, &r->letters) != 0 ||
        octet_failed(octet_context_create(&desc, &r->context)))
        return -1;
    for (int i = 0; i < NETWORKS; i++) {
        if (path_of(path, folder, network_names[i], ".onnx") != 0 ||
            octet_failed(octet_model_load(r->context, path, NULL, &r->models[i])) ||
            octet_failed(octet_session_create(r->models[i], NULL, &r->sessions[i])))
            return -1;
    }
    return 0;
}

void reader_close(reader *r)
{
    for (int i = 0; i < NETWORKS; i++) {
        octet_session_destroy(r->sessions[i]);
        octet_model_destroy(r->models[i]);
    }
    octet_context_destroy(r->context);
    alphabet_free(&r->letters);
}

static int save_sample(reader *r, int network, const picture *piece)
{
    char folder[4096], name[32], path[4096], error[PICTURE_ERROR_BYTES];
    snprintf(name, sizeof name, "%04d", r->sample_count++);
    if (path_of(folder, r->samples, network_names[network], "") != 0 ||
        path_of(path, folder, name, ".png") != 0)
        return -1;
    if (picture_write_png(path, piece, error) != 0) {
        fprintf(stderr, "ocr: %s: %s\n", path, error);
        return -1;
    }
    return 0;
}

/* One network on pieces of one size, as a batch. The answer is the caller's to octet_tensor_free; its rank
 * and its batch are as they should be. */
static int run_network(reader *r, int network, const picture *pieces, size_t count, int rank,
                       octet_tensor *answer)
{
    octet_tensor batch = {OCTET_F32, 4, {(int64_t)count, 3, pieces[0].height, pieces[0].width}, NULL, 0};
    *answer = (octet_tensor){0};
    if (octet_failed(octet_tensor_alloc(&batch)))
        return -1;
    int status = 0;
    for (size_t i = 0; status == 0 && i < count; i++) {
        to_planes(&pieces[i], (float *)batch.data + i * (batch.data_bytes / sizeof(float) / count));
        status = r->samples ? save_sample(r, network, &pieces[i]) : 0;
    }
    double start = now_ms();
    if (status == 0 && octet_failed(octet_session_run(r->sessions[network], &batch, 1, answer, 1)))
        status = -1;
    r->ms[network] += now_ms() - start;
    octet_tensor_free(&batch);
    if (status == 0 &&
        (answer->dtype != OCTET_F32 || answer->rank != rank || answer->dims[0] != (int64_t)count)) {
        fprintf(stderr, "ocr: %s.onnx is not the network it should be\n", network_names[network]);
        octet_tensor_free(answer);
        status = -1;
    }
    return status;
}

static int round_to(double size, int step)
{
    int steps = (int)lround(size / step);
    return (steps > 1 ? steps : 1) * step;
}

static int find_lines(reader *r, const picture *page, text_box **boxes, size_t *count)
{
    double least = fmin(page->width, page->height), most = fmax(page->width, page->height);
    double ratio = fmin(fmax(1, PAGE_LEAST / least), PAGE_MOST / most);
    int width = round_to(page->width * ratio, PAGE_STEP), height = round_to(page->height * ratio, PAGE_STEP);
    text_box whole = {{0, 0}, {page->width, 0}, {0, page->height}, 1, 0};
    picture piece;
    octet_tensor map;
    if (cut(page, &whole, width, height, width, &piece) != 0)
        return no_memory();
    int status = run_network(r, DETECT, &piece, 1, 4, &map);
    picture_free(&piece);
    if (status != 0)
        return -1;
    if (map.dims[2] != height || map.dims[3] != width)
        fprintf(stderr, "ocr: det.onnx gives a map of another size than its input\n");
    else if (find_boxes(map.data, width, height, (double)page->width / width, (double)page->height / height,
                        boxes, count) != 0)
        no_memory();
    octet_tensor_free(&map);
    return *boxes ? 0 : -1;
}

/* Columns that a line takes at the height the networks read. */
static int columns(const text_line *line, int most)
{
    double width = ceil(LINE_HEIGHT * box_width(&line->box) / box_height(&line->box));
    return (int)fmax(1, fmin(width, most));
}

/* One network on up to BATCH lines, each cut to `width` columns; no more of it than would take `seen`
 * columns. */
static int run_on_lines(reader *r, int network, const picture *page, text_line *const *lines, size_t count,
                        int width, int seen, int rank, octet_tensor *answer)
{
    picture pieces[BATCH] = {0};
    int status = 0;
    for (size_t i = 0; status == 0 && i < count; i++) {
        int all = columns(lines[i], INT_MAX);
        text_box head = box_head(&lines[i]->box, fmin(1, (double)seen / all));
        if (cut(page, &head, all < width ? all : width, LINE_HEIGHT, width, &pieces[i]) != 0)
            status = no_memory();
    }
    if (status == 0)
        status = run_network(r, network, pieces, count, rank, answer);
    for (size_t i = 0; i < count; i++)
        picture_free(&pieces[i]);
    return status;
}

/* Turn what stands upside down. */
static int find_directions(reader *r, const picture *page, text_line *const *lines, size_t count)
{
    octet_tensor scores; /* [lines][upright, upside down] */
    if (run_on_lines(r, DIRECT, page, lines, count, DIRECTION_WIDTH, DIRECTION_SEEN, 2, &scores) != 0)
        return -1;
    for (size_t i = 0; i < count && scores.dims[1] == 2; i++) {
        lines[i]->turned = ((float *)scores.data)[i * 2 + 1] > CERTAIN_TURN;
        if (lines[i]->turned)
            turn_upside_down(&lines[i]->box);
    }
    octet_tensor_free(&scores);
    return 0;
}

/* Lines of nearly one width: the widest is the last. */
static int recognize(reader *r, const picture *page, text_line *const *lines, size_t count)
{
    octet_tensor scores; /* [lines][steps][classes] */
    int widest = columns(lines[count - 1], LINE_WIDTH_MOST);
    int width = round_to(fmax(widest, LINE_WIDTH_LEAST) + LINE_WIDTH_STEP / 2 - 1, LINE_WIDTH_STEP),
        status = 0;
    if (run_on_lines(r, RECOGNIZE, page, lines, count, width, INT_MAX, 3, &scores) != 0)
        return -1;
    size_t steps = (size_t)scores.dims[1], classes = (size_t)scores.dims[2];
    if (classes != r->letters.count + 2) {
        fprintf(stderr, "ocr: rec.onnx knows %zu classes, characters.txt has %zu\n", classes,
                r->letters.count);
        status = -1;
    }
    for (size_t i = 0; status == 0 && i < count; i++) {
        lines[i]->text = decode(&r->letters, (float *)scores.data + i * steps * classes, steps, classes,
                                &lines[i]->certainty);
        if (!lines[i]->text)
            status = no_memory();
    }
    octet_tensor_free(&scores);
    return status;
}

static int by_columns(const void *a, const void *b)
{
    return columns(*(text_line *const *)a, LINE_WIDTH_MOST) -
           columns(*(text_line *const *)b, LINE_WIDTH_MOST);
}

typedef int line_step(reader *r, const picture *page, text_line *const *lines, size_t count);

/* `step` on all lines, BATCH at a time. */
static int in_batches(reader *r, const picture *page, text_line **lines, size_t count, line_step *step)
{
    int status = 0;
    for (size_t at = 0; status == 0 && at < count; at += BATCH)
        status = step(r, page, lines + at, count - at < BATCH ? count - at : BATCH);
    return status;
}

static void drop_doubtful(page_text *text)
{
    size_t kept = 0;
    for (size_t i = 0; i < text->count; i++) {
        if (text->lines[i].certainty >= CERTAIN_TEXT)
            text->lines[kept++] = text->lines[i];
        else
            free(text->lines[i].text);
    }
    text->count = kept;
}

/* A page of which more than half stands upside down was read from its end. */
static void from_the_right_end(page_text *text)
{
    size_t turned = 0;
    for (size_t i = 0; i < text->count; i++)
        turned += (size_t)text->lines[i].turned;
    for (size_t i = 0; turned * 2 > text->count && i < text->count / 2; i++) {
        text_line line = text->lines[i];
        text->lines[i] = text->lines[text->count - 1 - i];
        text->lines[text->count - 1 - i] = line;
    }
}

int reader_read(reader *r, const picture *page, page_text *text)
{
    text_box *boxes = NULL;
    size_t count = 0;
    *text = (page_text){0};
    if (find_lines(r, page, &boxes, &count) != 0)
        return -1;
    reading_order(boxes, count);
    text_line **order = malloc((count + 1) * sizeof *order);
    text->lines = calloc(count + 1, sizeof *text->lines);
    int status = order && text->lines ? 0 : no_memory();
    for (size_t i = 0; status == 0 && i < count; i++) {
        order[i] = &text->lines[i];
        text->lines[i].box = boxes[i];
        if (box_height(&boxes[i]) >= 1.5 * box_width(&boxes[i]))
            turn_upright(&text->lines[i].box);
        text->count++;
    }
    if (status == 0)
        status = in_batches(r, page, order, count, find_directions);
    if (status == 0) {
        qsort(order, count, sizeof *order, by_columns);
        status = in_batches(r, page, order, count, recognize);
    }
    free(boxes);
    free(order);
    if (status != 0) {
        page_text_free(text);
        return -1;
    }
    drop_doubtful(text);
    from_the_right_end(text);
    return 0;
}

void page_text_free(page_text *text)
{
    for (size_t i = 0; i < text->count; i++)
        free(text->lines[i].text);
    free(text->lines);
    *text = (page_text){0};
}
