/* What examples/ocr does on the host: boxes out of a map, pieces out of a picture, strings out of scores. The
 * networks themselves are run by examples/ocr/test.sh. */
#include "boxes.h"
#include "check.h"
#include "cut.h"
#include "text.h"

#include <math.h>
#include <unistd.h>

enum { W = 160, H = 120 };

static float map[W * H];

static void paint(double cx, double cy, double angle, double width, double height, float value)
{
    for (int i = 0; i < W * H; i++) {
        double x = i % W + 0.5 - cx, y = i / W + 0.5 - cy;
        double u = x * cos(angle) + y * sin(angle), v = y * cos(angle) - x * sin(angle);
        if (fabs(u) <= width / 2 && fabs(v) <= height / 2)
            map[i] = value;
    }
}

static size_t boxes_of(double scale_x, double scale_y, text_box **boxes)
{
    size_t count;
    assert_int_equal(find_boxes(map, W, H, scale_x, scale_y, boxes, &count), 0);
    return count;
}

static void assert_near(double given, double wanted, double within)
{
    if (!(fabs(given - wanted) <= within))
        fail_msg("%g, expected %g within %g", given, wanted, within);
}

/* 40x8 points widened by 2 * 320 / 96 on every side. */
static void level_box(void **state)
{
    (void)state;
    text_box *boxes;
    memset(map, 0, sizeof map);
    paint(50, 40, 0, 40, 8, 0.9f);
    assert_int_equal(boxes_of(2, 3, &boxes), 1);
    double more = 2.0 * 320 / 96;
    assert_near(boxes[0].origin.x, 2 * (30 - more), 1e-9);
    assert_near(boxes[0].origin.y, 3 * (36 - more), 1e-9);
    assert_near(boxes[0].across.x, 2 * (40 + 2 * more), 1e-9);
    assert_near(boxes[0].across.y, 0, 1e-9);
    assert_near(boxes[0].down.x, 0, 1e-9);
    assert_near(boxes[0].down.y, 3 * (8 + 2 * more), 1e-9);
    assert_near(boxes[0].score, 0.9, 1e-6);
    free(boxes);
}

/* Every angle: the direction, the centre, the size, and every point of the text inside. */
static void tilted_boxes(void **state)
{
    (void)state;
    int checked = 0;
    for (int degrees = -44; degrees <= 44; degrees += 4) {
        double angle = degrees * acos(-1) / 180, more = 2 * 2.0 * 80 * 12 / (2 * (80 + 12));
        text_box *boxes;
        memset(map, 0, sizeof map);
        paint(80, 60, angle, 80, 12, 1);
        assert_int_equal(boxes_of(1, 1, &boxes), 1);
        const text_box *b = boxes;
        assert_near(atan2(b->across.y, b->across.x), angle, 0.02);
        assert_near(box_corner(b, 0.5, 0.5).x, 80, 1);
        assert_near(box_corner(b, 0.5, 0.5).y, 60, 1);
        assert_near(box_width(b), 80 + more, 3);
        assert_near(box_height(b), 12 + more, 3);
        assert_near(b->across.x * b->down.x + b->across.y * b->down.y, 0, 1e-6);
        for (int i = 0; i < W * H; i++) {
            double x = i % W + 0.5 - b->origin.x, y = i / W + 0.5 - b->origin.y;
            double u = (x * b->across.x + y * b->across.y) / pow(box_width(b), 2);
            double v = (x * b->down.x + y * b->down.y) / pow(box_height(b), 2);
            if (map[i] > 0 && (u < 0 || u > 1 || v < 0 || v > 1))
                fail_msg("%d degrees: the point %d, %d is outside", degrees, i % W, i / W);
        }
        free(boxes);
        checked++;
    }
    assert_int_equal(checked, 23);
}

/* Nothing, everything, specks, doubtful text, and parts that touch at a corner only. */
static void odd_maps(void **state)
{
    (void)state;
    text_box *boxes;
    float one = 1;
    size_t count;
    memset(map, 0, sizeof map);
    assert_int_equal(boxes_of(1, 1, &boxes), 0);
    free(boxes);
    paint(20, 20, 0, 2, 30, 1);    /* a speck: two points thin */
    paint(80, 20, 0, 40, 8, 0.4f); /* likely, but not certain */
    paint(20, 80, 0, 1, 1, 1);
    assert_int_equal(boxes_of(1, 1, &boxes), 0);
    free(boxes);
    memset(map, 0, sizeof map);
    paint(20, 20, 0, 20, 10, 1);
    paint(40, 30, 0, 20, 10, 1); /* from (30, 25): its corner meets the other's */
    assert_int_equal(boxes_of(1, 1, &boxes), 1);
    free(boxes);
    for (int i = 0; i < W * H; i++)
        map[i] = 1;
    assert_int_equal(boxes_of(1, 1, &boxes), 1);
    assert_true(boxes[0].origin.x < 0 && boxes[0].across.x > W);
    free(boxes);
    assert_int_equal(find_boxes(&one, 1, 1, 1, 1, &boxes, &count), 0);
    assert_int_equal(count, 0);
    free(boxes);
}

/* Random noise must neither crash nor give a box that is not a rectangle. */
static void noisy_maps(void **state)
{
    (void)state;
    uint64_t seed = 41;
    size_t found = 0;
    for (int round = 0; round < 40; round++) {
        text_box *boxes;
        for (int i = 0; i < W * H; i++)
            map[i] = check_random(&seed) % 100 < (unsigned)(20 + round) ? 0.95f : 0.05f;
        size_t count = boxes_of(1, 1, &boxes);
        for (size_t i = 0; i < count; i++) {
            const text_box *b = &boxes[i];
            assert_near(b->across.x * b->down.x + b->across.y * b->down.y, 0, 1e-6);
            assert_true(b->across.x > 0 && b->across.x >= fabs(b->across.y) && b->score <= 1);
        }
        found += count;
        free(boxes);
    }
    assert_true(found > 10);
}

static text_box at(double x, double y)
{
    return (text_box){{x, y}, {40, 0}, {0, 20}, 1, 0};
}

static void order(void **state)
{
    (void)state;
    text_box boxes[] = {at(100, 54), at(10, 100), at(200, 8), at(10, 60), at(10, 9), at(100, 0)};
    const double x[] = {10, 100, 200, 10, 100, 10};
    const int rows[] = {0, 0, 0, 1, 1, 2};
    reading_order(boxes, 6);
    for (int i = 0; i < 6; i++) {
        assert_near(boxes[i].origin.x, x[i], 0);
        assert_int_equal(boxes[i].row, rows[i]);
    }
    reading_order(NULL, 0);
}

/* Two rows of boxes far apart on a page tilted by 10 degrees: the end of the first is below the start of the
 * second. */
static void tilted_order(void **state)
{
    (void)state;
    text_box boxes[6];
    const int shuffled[6] = {4, 2, 0, 5, 1, 3};
    double c = cos(0.17), s = sin(0.17);
    for (int i = 0; i < 6; i++) {
        double x = shuffled[i] % 3 * 200, y = shuffled[i] / 3 * 25;
        boxes[i] =
            (text_box){{x * c - y * s, x * s + y * c}, {150 * c, 150 * s}, {-20 * s, 20 * c}, shuffled[i], 0};
    }
    reading_order(boxes, 6);
    for (int i = 0; i < 6; i++) {
        assert_near(boxes[i].score, i, 0);
        assert_int_equal(boxes[i].row, i / 3);
    }
}

/* A page whose every pixel differs. */
static picture numbered(unsigned char *pixels, int width, int height)
{
    for (int i = 0; i < width * height * 3; i++)
        pixels[i] = (unsigned char)i;
    return (picture){width, height, 3, pixels};
}

/* The whole at its own size; from the other end; standing text; grey at the right. */
static void cut_and_turn(void **state)
{
    (void)state;
    unsigned char pixels[6 * 4 * 3];
    picture page = numbered(pixels, 6, 4), piece;
    text_box box = {{0, 0}, {6, 0}, {0, 4}, 1, 0};
    assert_int_equal(cut(&page, &box, 6, 4, 8, &piece), 0);
    for (int i = 0; i < 8 * 4 * 3; i++) {
        int x = i / 3 % 8, y = i / 24;
        assert_int_equal(piece.pixels[i], x < 6 ? pixels[(y * 6 + x) * 3 + i % 3] : 127);
    }
    picture_free(&piece);
    text_box turned = box;
    turn_upside_down(&turned);
    assert_int_equal(cut(&page, &turned, 6, 4, 6, &piece), 0);
    for (int i = 0; i < 24; i++)
        assert_memory_equal(piece.pixels + i * 3, pixels + (23 - i) * 3, 3);
    picture_free(&piece);
    turned = box;
    turn_upright(&turned); /* reads down the right edge first */
    assert_int_equal(cut(&page, &turned, 4, 6, 4, &piece), 0);
    for (int i = 0; i < 24; i++)
        assert_memory_equal(piece.pixels + i * 3, pixels + (i % 4 * 6 + 5 - i / 4) * 3, 3);
    picture_free(&piece);
    assert_near(box_width(&turned), 4, 0);
    text_box head = box_head(&box, 0.5);
    assert_near(box_width(&head), 3, 0);
}

/* Shrinking averages, the edge goes on outside, planes are blue, green, red from -1 to 1. */
static void sampling(void **state)
{
    (void)state;
    unsigned char pixels[4 * 4 * 3] = {0};
    float planes[3 * 4];
    picture page = {4, 4, 3, pixels}, piece;
    for (int i = 0; i < 16; i++) {
        pixels[i * 3] = i % 2 ? 255 : 0; /* red stripes, columns */
        pixels[i * 3 + 2] = 255;
    }
    text_box whole = {{0, 0}, {4, 0}, {0, 4}, 1, 0}, far = {{50, -50}, {2, 0}, {0, 2}, 1, 0};
    assert_int_equal(cut(&page, &whole, 2, 2, 2, &piece), 0);
    to_planes(&piece, planes);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(piece.pixels[i * 3], 128);
        assert_near(planes[i], 1, 1e-6);
        assert_near(planes[4 + i], -1, 1e-6);
        assert_near(planes[8 + i], 128 / 127.5 - 1, 1e-6);
    }
    picture_free(&piece);
    assert_int_equal(cut(&page, &far, 2, 2, 2, &piece), 0);
    assert_int_equal(piece.pixels[0], 255); /* the top right pixel */
    picture_free(&piece);
}

/* Inside, across the edge and far away: only pixels of the page are written. */
static void frames(void **state)
{
    (void)state;
    enum { SIDE = 20, GUARDED = 30 };
    unsigned char memory[(SIDE * SIDE + 2 * GUARDED) * 3];
    const unsigned char red[3] = {255, 0, 0};
    const double places[][2] = {{5, 5}, {-3, -3}, {15, 15}, {1e6, 1e6}, {-1e6, 4}};
    memset(memory, GUARD, sizeof memory);
    picture page = {SIDE, SIDE, 3, memory + (size_t)GUARDED * 3};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        text_box box = {{places[i][0], places[i][1]}, {8, 0}, {0, 8}, 1, 0};
        draw_frame(&page, &box, red);
    }
    assert_memory_equal(page.pixels + (5 * SIDE + 9) * 3, red, 3);
    assert_int_equal(page.pixels[(9 * SIDE + 9) * 3], GUARD);
    for (int i = 0; i < GUARDED * 3; i++) {
        assert_int_equal(memory[i], GUARD);
        assert_int_equal(memory[sizeof memory - 1 - (size_t)i], GUARD);
    }
}

static char *letters_of_steps(const alphabet *letters, const char *best, double *certainty)
{
    float scores[64] = {0};
    size_t steps = strlen(best), classes = letters->count + 2;
    assert_true(steps * classes <= 64);
    for (size_t i = 0; i < steps; i++)
        scores[i * classes + (size_t)(best[i] - '0')] = best[i] == '0' ? 0.99f : 0.5f + 0.1f * (float)(i % 2);
    return decode(letters, scores, steps, classes, certainty);
}

static void ctc(void **state)
{
    (void)state;
    char *list[] = {"a", "\xE5\xAD\x97", "c"}; /* class 2 is a letter of three bytes, 4 the space */
    const alphabet letters = {NULL, list, 3};
    const struct {
        const char *best, *text;
    } cases[] = {{"", ""},
                 {"000", ""},
                 {"111", "a"},
                 {"101", "aa"},
                 {"1122", "a\xE5\xAD\x97"},
                 {"0301003", "cac"},
                 {"141", "a a"},
                 {"404141404", "a a"},
                 {"44", ""},
                 {"2220222", "\xE5\xAD\x97\xE5\xAD\x97"}};
    double certainty;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = letters_of_steps(&letters, cases[i].best, &certainty);
        assert_string_equal(text, cases[i].text);
        free(text);
    }
    free(letters_of_steps(&letters, "01003", &certainty));
    assert_near(certainty, (0.6 + 0.5) / 2, 1e-6);
    free(letters_of_steps(&letters, "000", &certainty));
    assert_near(certainty, 0, 0);
}

/* The definition, without a table. */
static long plain_distance(const char *a, const char *b)
{
    if (!*a || !*b)
        return (long)(strlen(a) + strlen(b));
    long change = plain_distance(a + 1, b + 1) + (*a != *b);
    long less = plain_distance(a + 1, b) + 1, more = plain_distance(a, b + 1) + 1;
    long least = less < more ? less : more;
    return change < least ? change : least;
}

static void distances(void **state)
{
    (void)state;
    uint64_t seed = 7;
    size_t length;
    for (int round = 0; round < 300; round++) {
        char a[8] = {0}, b[8] = {0};
        for (int64_t i = check_range(&seed, 0, 6); i > 0; i--)
            a[i - 1] = (char)check_range(&seed, 'a', 'c');
        for (int64_t i = check_range(&seed, 0, 6); i > 0; i--)
            b[i - 1] = (char)check_range(&seed, 'a', 'c');
        long given = edit_distance(a, b, &length), wanted = plain_distance(a, b);
        if (given != wanted || length != strlen(b))
            fail_msg("'%s', '%s': %ld, expected %ld", a, b, given, wanted);
    }
    assert_int_equal(edit_distance("na\xC3\xAFve", "naive", &length), 1);
    assert_int_equal(edit_distance("naive", "na\xC3\xAFve", &length), 1);
    assert_int_equal(length, 5);
    assert_int_equal(edit_distance("\xE5\xAD\x97", "", NULL), 1);
}

static void alphabets(void **state)
{
    (void)state;
    char path[] = "/tmp/octet_ocr_XXXXXX";
    int file = mkstemp(path);
    alphabet letters;
    assert_true(file >= 0);
    assert_int_equal(alphabet_read(path, &letters), -1); /* empty */
    alphabet_free(&letters);
    assert_int_equal(write(file, "a\n\xE5\xAD\x97\n'", 7), 7);
    close(file);
    assert_int_equal(alphabet_read(path, &letters), 0);
    assert_int_equal(letters.count, 3);
    assert_string_equal(letters.letters[1], "\xE5\xAD\x97");
    assert_string_equal(letters.letters[2], "'");
    alphabet_free(&letters);
    remove(path);
    assert_int_equal(alphabet_read(path, &letters), -1);
    alphabet_free(&letters);
}

static void written_pictures(void **state)
{
    (void)state;
    char path[] = "/tmp/octet_ocr_XXXXXX", error[PICTURE_ERROR_BYTES];
    unsigned char pixels[5 * 3 * 3];
    picture page = numbered(pixels, 5, 3), again;
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    assert_int_equal(picture_write_png(path, &page, error), 0);
    assert_int_equal(picture_decode(path, 3, &again, error), 0);
    assert_int_equal(again.width, 5);
    assert_memory_equal(again.pixels, pixels, sizeof pixels);
    picture_free(&again);
    remove(path);
    assert_int_equal(picture_write_png("/nonexistent/x.png", &page, error), -1);
    assert_true(*error != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level_box),
        cmocka_unit_test(tilted_boxes),
        cmocka_unit_test(odd_maps),
        cmocka_unit_test(noisy_maps),
        cmocka_unit_test(order),
        cmocka_unit_test(tilted_order),
        cmocka_unit_test(cut_and_turn),
        cmocka_unit_test(sampling),
        cmocka_unit_test(frames),
        cmocka_unit_test(ctc),
        cmocka_unit_test(distances),
        cmocka_unit_test(alphabets),
        cmocka_unit_test(written_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
