/* An example of liboctet: reads the text in pictures with three networks of PP-OCR, in int8 or in float,
 * prints it and draws the boxes that it found. README.md tells where the networks come from.
 *
 * Exit status 0: done; 1: not, or fewer letters right than --least asks for; 2: usage.
 */
#include "cut.h"
#include "reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PICTURES_MAX = 64 };

typedef struct options {
    const char *networks, *device, *boxes, *expected, *least, *samples;
    const char *pictures[PICTURES_MAX];
    int picture_count, quiet;
} options;

static const char usage[] =
    "usage: ocr --networks DIR [OPTION]... PICTURE...\n"
    "\n"
    "Reads the text in PNG and JPEG pictures on an OpenCL device.\n"
    "  --networks DIR    det.onnx, cls.onnx, rec.onnx and characters.txt\n"
    "  --boxes FILE.png  write the last picture with a frame around each line, blue where it stood upside "
    "down\n"
    "  --expect FILE     what the pictures say: tell how many letters are right\n"
    "  --least PERCENT   of them, or the exit status is 1\n"
    "  --samples DIR     write what the networks are given to DIR/det, DIR/cls and DIR/rec, for `octet "
    "quantize`\n"
    "  --quiet           leave out the text\n"
    "  --device WHICH    a device's index or part of its name (`octet devices` lists them)\n";

static int say(const char *path, const char *error)
{
    fprintf(stderr, "ocr: %s: %s\n", path, error);
    return -1;
}

/* Text that grows. */
typedef struct string {
    char *bytes;
    size_t length;
} string;

static int append(string *s, const char *text)
{
    char *longer = realloc(s->bytes, s->length + strlen(text) + 1);
    if (!longer)
        return say("text", "out of memory");
    strcpy(longer + s->length, text);
    s->bytes = longer;
    s->length += strlen(text);
    return 0;
}

/* A row a line, its boxes with a space between. */
static int collect(const page_text *page, string *all)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < page->count; i++) {
        const text_line *line = &page->lines[i];
        if (i > 0)
            status = append(all, line->box.row == page->lines[i - 1].box.row ? " " : "\n");
        if (status == 0)
            status = append(all, line->text);
    }
    return status == 0 ? append(all, page->count ? "\n" : "") : -1;
}

static int write_boxes(const char *path, picture *page, const page_text *text)
{
    static const unsigned char colours[2][3] = {{220, 40, 30}, {30, 80, 230}};
    char error[PICTURE_ERROR_BYTES];
    for (size_t i = 0; i < text->count; i++)
        draw_frame(page, &text->lines[i].box, colours[text->lines[i].turned]);
    return picture_write_png(path, page, error) == 0 ? 0 : say(path, error);
}

static int read_picture(reader *r, const char *path, const char *boxes, string *all)
{
    char error[PICTURE_ERROR_BYTES];
    picture page;
    page_text text = {0};
    size_t before = all->length;
    if (picture_decode(path, 3, &page, error) != 0)
        return say(path, error);
    memset(r->ms, 0, sizeof r->ms);
    int status = reader_read(r, &page, &text);
    if (status == 0)
        status = collect(&text, all);
    if (status == 0 && boxes)
        status = write_boxes(boxes, &page, &text);
    if (status == 0)
        fprintf(
            stderr,
            "%s: %zu lines, %zu bytes of text; detection %.0f ms, direction %.0f ms, recognition %.0f ms\n",
            path, text.count, all->length - before, r->ms[DETECT], r->ms[DIRECT], r->ms[RECOGNIZE]);
    page_text_free(&text);
    picture_free(&page);
    return status;
}

/* 0, or -1 where too few letters are right. */
static int judge(const options *chosen, const char *text)
{
    char *expected = read_text(chosen->expected);
    size_t length;
    long wrong = expected ? edit_distance(text, expected, &length) : -1;
    free(expected);
    if (wrong < 0)
        return -1;
    double right = 100 * (1 - (double)wrong / (double)length);
    printf("%.2f%% of %zu letters right, %ld to mend\n", right, length, wrong);
    if (right < atof(chosen->least ? chosen->least : "0"))
        return say(chosen->expected, "too few letters are right");
    return 0;
}

static int run(const options *chosen)
{
    reader r;
    string all = {0};
    int status = reader_open(&r, chosen->networks, chosen->device);
    r.samples = chosen->samples;
    for (int i = 0; status == 0 && i < chosen->picture_count; i++) {
        const char *boxes = i == chosen->picture_count - 1 ? chosen->boxes : NULL;
        status = read_picture(&r, chosen->pictures[i], boxes, &all);
    }
    if (status == 0)
        status = append(&all, ""); /* there is a string even where there is no text */
    if (status == 0 && !chosen->quiet)
        fputs(all.bytes, stdout);
    if (status == 0 && chosen->expected)
        status = judge(chosen, all.bytes);
    reader_close(&r);
    free(all.bytes);
    return status;
}

/* 0, or -1 for what cannot be understood. */
static int parse(int argc, char **argv, options *chosen)
{
    const struct {
        const char *name, **value;
    } known[] = {{"--networks", &chosen->networks}, {"--device", &chosen->device},
                 {"--boxes", &chosen->boxes},       {"--expect", &chosen->expected},
                 {"--least", &chosen->least},       {"--samples", &chosen->samples}};
    for (int i = 1; i < argc; i++) {
        size_t k = 0, count = sizeof known / sizeof *known;
        while (k < count && strcmp(argv[i], known[k].name) != 0)
            k++;
        if (k < count && i + 1 < argc)
            *known[k].value = argv[++i];
        else if (strcmp(argv[i], "--quiet") == 0)
            chosen->quiet = 1;
        else if (argv[i][0] != '-' && chosen->picture_count < PICTURES_MAX)
            chosen->pictures[chosen->picture_count++] = argv[i];
        else
            return -1;
    }
    return chosen->networks && chosen->picture_count ? 0 : -1;
}

int main(int argc, char **argv)
{
    options chosen = {0};
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
