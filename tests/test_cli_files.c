/* The files that the command reads, in this process: .npy and pictures, whole, cut at every byte, and
 * damaged. Each refusal is one line on standard error and leaves nothing behind. The command itself is run by
 * test_cli.c.
 */
#include "cli.h"
#include "npy.h"
#include "picture.h"
#include "used_files.h"

#include <fcntl.h>
#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jpeglib.h>
#include <zlib.h>

static char folder[] = "/tmp/octet_cli_XXXXXX";
static char path[64], errors[64];

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/file", folder);
    snprintf(errors, sizeof errors, "%s/errors", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove(path);
    remove(errors);
    return rmdir(folder);
}

static void write_file(const void *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

static size_t read_file(const char *from, unsigned char *data, size_t size)
{
    FILE *file = fopen(from, "rb");
    assert_non_null(file);
    size_t bytes = fread(data, 1, size, file);
    fclose(file);
    assert_true(bytes < size);
    return bytes;
}

/* Read path as .npy with standard error caught: after a refusal it must hold one line. */
static int try_npy(octet_tensor *tensor, char *line, size_t size)
{
    int saved = dup(STDERR_FILENO), caught = open(errors, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(saved >= 0 && caught >= 0);
    dup2(caught, STDERR_FILENO);
    int status = npy_read(path, tensor);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(caught);
    size_t bytes = read_file(errors, (unsigned char *)line, size);
    line[bytes] = '\0';
    if (status == EXIT_DONE) {
        assert_string_equal(line, "");
    } else {
        assert_null(tensor->data);
        assert_true(strncmp(line, "octet: ", 7) == 0);
        assert_ptr_equal(strchr(line, '\n'), line + bytes - 1);
    }
    return status;
}

static int try_picture(int channels, picture *image)
{
    char line[4096];
    int saved = dup(STDERR_FILENO), caught = open(errors, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(saved >= 0 && caught >= 0);
    dup2(caught, STDERR_FILENO);
    int status = picture_read(path, channels, image);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(caught);
    size_t bytes = read_file(errors, (unsigned char *)line, sizeof line);
    line[bytes] = '\0';
    if (status != EXIT_DONE) {
        assert_null(image->pixels);
        assert_ptr_equal(strchr(line, '\n'), line + bytes - 1);
    }
    return status;
}

static void write_npy(const octet_tensor *t)
{
    output_file file;
    used_files_forget(); /* another command has read it */
    assert_int_equal(output_open(path, &file), EXIT_DONE);
    npy_write(&file.out, t);
    assert_int_equal(output_finish(&file), EXIT_DONE);
    assert_int_equal(output_commit(&file, 1), EXIT_DONE);
}

/* Every type and some shapes, written and read back. */
static void npy_round_trip(void **state)
{
    static const int64_t shapes[][4] = {{1, 1, 1, 1}, {2, 3, 5, 7}, {0, 4, 1, 1}, {300, 1, 1, 2}};
    int cases = 0;
    (void)state;
    for (int type = OCTET_F32; type < OCTET_DTYPE_COUNT; type++) {
        for (int rank = 0; rank <= 4; rank++) {
            for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
                octet_tensor t = {.dtype = (octet_dtype)type, .rank = rank}, back;
                char line[4096];
                memcpy(t.dims, shapes[s], (size_t)rank * sizeof(int64_t));
                assert_int_equal(octet_tensor_alloc(&t), OCTET_OK);
                size_t bytes = octet_tensor_bytes(&t);
                for (size_t i = 0; i < bytes; i++)
                    ((unsigned char *)t.data)[i] = (unsigned char)(type == OCTET_BOOL ? i & 1 : i * 37);
                write_npy(&t);
                assert_int_equal(try_npy(&back, line, sizeof line), EXIT_DONE);
                assert_int_equal(back.dtype, type == OCTET_BF16 ? OCTET_U16 : type);
                assert_int_equal(back.rank, rank);
                assert_memory_equal(back.dims, t.dims, sizeof t.dims);
                if (bytes)
                    assert_memory_equal(back.data, t.data, bytes);
                octet_tensor_free(&t);
                octet_tensor_free(&back);
                cases++;
            }
        }
    }
    assert_int_equal(cases, 13 * 5 * 4);
}

/* A file of version 1 with this header and `payload` bytes of data. */
static void make_npy(unsigned version, const char *header, size_t payload)
{
    unsigned char file[4096] = "\x93NUMPY";
    size_t length = strlen(header), at = version == 1 ? 10 : 12;
    file[6] = (unsigned char)version;
    file[8] = (unsigned char)length;
    memcpy(file + at, header, length);
    write_file(file, at + length + payload);
}

static void npy_headers(void **state)
{
    static const struct {
        unsigned version;
        const char *header;
        size_t payload;
        const char *error; /* part of the refusal; NULL: read */
    } cases[] = {
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 24, NULL},
        {2, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", 24, NULL},
        {3, "{\"shape\":(2,3),\"fortran_order\":False,\"descr\":\"<f4\"}", 24, NULL},
        {1, "{'descr': '|u1', 'fortran_order': False, 'shape': (), }", 1, NULL},
        {1, "{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}", 3, NULL},
        {4, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 24, "version 4"},
        {0, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 24, "version 0"},
        {1, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", 24, "Fortran"},
        {1, "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }", 24, "big-endian"},
        {1, "{'descr': '<c8', 'fortran_order': False, 'shape': (2, 3), }", 48, "element type"},
        {1, "{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", 48, "element type"},
        {1, "{'descr': '', 'fortran_order': False, 'shape': (2, 3), }", 48, "element type"},
        {1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", 8, "one plain type"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3), }", 24, "not a number"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3), }", 24, "damaged"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 24,
         "not a number"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 0, "too large"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }", 24, "promises"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }", 4, "dimensions"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 25, "promises 24"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } x", 24, "damaged"},
        {1, "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3), }", 24, "neither"},
        {1, "{'descr': '<f4', 'shape': (2, 3), }", 24, "damaged"},
        {1, "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 24, "twice"},
        {1, "{'extra': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 24, "unknown"},
        {1, "", 0, "dictionary"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        octet_tensor t;
        char line[4096];
        make_npy(cases[i].version, cases[i].header, cases[i].payload);
        int status = try_npy(&t, line, sizeof line);
        if (status != (cases[i].error ? EXIT_FAILED : EXIT_DONE) ||
            (cases[i].error && !strstr(line, cases[i].error)))
            fail_msg("version %u header \"%s\": status %d, \"%s\"", cases[i].version, cases[i].header, status,
                     line);
        octet_tensor_free(&t);
    }
}

/* Cut at every byte it is refused; with any bit flipped it is read or refused, nothing worse. */
static void npy_damaged(void **state)
{
    unsigned char whole[1024];
    char line[4096];
    int refused = 0;
    octet_tensor t = {.dtype = OCTET_F32, .rank = 2, .dims = {4, 5}}, back;
    (void)state;
    assert_int_equal(octet_tensor_alloc(&t), OCTET_OK);
    write_npy(&t);
    octet_tensor_free(&t);
    size_t bytes = read_file(path, whole, sizeof whole);
    assert_int_equal(bytes, 128 + 80);
    for (size_t cut = 0; cut < bytes; cut++) {
        write_file(whole, cut);
        if (try_npy(&back, line, sizeof line) != EXIT_FAILED)
            fail_msg("cut to %zu bytes it is read", cut);
    }
    for (size_t bit = 0; bit < 128 * 8; bit++) {
        whole[bit / 8] ^= (unsigned char)(1 << bit % 8);
        write_file(whole, bytes);
        refused += try_npy(&back, line, sizeof line) != EXIT_DONE;
        octet_tensor_free(&back);
        whole[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    assert_true(refused > 128 * 7);
}

/* The colour of pixel (x, y), smooth so that JPEG keeps it. */
static unsigned char shade(int x, int y, int channel)
{
    return (unsigned char)(20 + 8 * x + 4 * y + 30 * channel);
}

enum { WIDTH = 16, HEIGHT = 12 };

static void fill_pixels(unsigned char *pixels)
{
    for (int i = 0; i < WIDTH * HEIGHT * 3; i++)
        pixels[i] = shade(i / 3 % WIDTH, i / 3 / WIDTH, i % 3);
}

static void make_png(void)
{
    unsigned char pixels[WIDTH * HEIGHT * 3];
    png_image png = {
        .version = PNG_IMAGE_VERSION, .width = WIDTH, .height = HEIGHT, .format = PNG_FORMAT_RGB};
    fill_pixels(pixels);
    assert_true(png_image_write_to_file(&png, path, 0, pixels, 0, NULL));
}

static void make_jpeg(void)
{
    unsigned char pixels[WIDTH * HEIGHT * 3];
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr manager;
    fill_pixels(pixels);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    jpeg.err = jpeg_std_error(&manager);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = WIDTH;
    jpeg.image_height = HEIGHT;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < HEIGHT; y++) {
        JSAMPROW row = pixels + y * WIDTH * 3;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    fclose(file);
}

static void check_pixels(int tolerance)
{
    picture image;
    assert_int_equal(try_picture(3, &image), EXIT_DONE);
    assert_int_equal(image.width, WIDTH);
    assert_int_equal(image.height, HEIGHT);
    for (int i = 0; i < WIDTH * HEIGHT * 3; i++) {
        int expected = shade(i / 3 % WIDTH, i / 3 / WIDTH, i % 3);
        if (abs(image.pixels[i] - expected) > tolerance)
            fail_msg("value %d: %d, expected %d", i, image.pixels[i], expected);
    }
    picture_free(&image);
    assert_int_equal(try_picture(1, &image), EXIT_DONE);
    assert_int_equal(image.channels, 1);
    picture_free(&image);
}

/* Whole it is read; cut anywhere before `needed` bytes from its end it is refused. */
static void check_cuts(size_t needed)
{
    static unsigned char whole[65536];
    size_t bytes = read_file(path, whole, sizeof whole);
    for (size_t cut = 0; cut < bytes; cut++) {
        picture image;
        write_file(whole, cut);
        int status = try_picture(3, &image);
        if (status == EXIT_DONE && cut < bytes - needed)
            fail_msg("cut to %zu of %zu bytes it is read", cut, bytes);
        picture_free(&image);
    }
}

static void pictures(void **state)
{
    (void)state;
    make_png();
    check_pixels(0);
    check_cuts(12 + 12 + 4); /* the last chunk, empty, and the checksums: the pixels are there */
    make_jpeg();
    check_pixels(12);
    check_cuts(2); /* the mark of the end */
    picture image;
    write_file("GIF89a", 6);
    assert_int_equal(try_picture(1, &image), EXIT_FAILED);
}

/* Shrinking averages boxes, growing repeats pixels, both into planes; every outer element is the same. */
static void picture_scaling(void **state)
{
    unsigned char pixels[4 * 4 * 3];
    picture image = {4, 4, 3, pixels};
    float small[2 * 3 * 2 * 2];
    unsigned char large[3 * 8 * 6];
    (void)state;
    for (int i = 0; i < 4 * 4 * 3; i++)
        pixels[i] = (unsigned char)(i * 5);
    octet_tensor t = {OCTET_F32, 4, {2, 3, 2, 2}, small, sizeof small};
    picture_fill(&image, &t);
    for (int i = 0; i < 24; i++) {
        int c = i / 4 % 3, y = i / 2 % 2, x = i % 2, sum = 0;
        for (int p = 0; p < 4; p++)
            sum += pixels[((2 * y + p / 2) * 4 + 2 * x + p % 2) * 3 + c];
        assert_true(fabs(small[i] - sum / 4.0 / 255) < 1e-6);
    }
    t = (octet_tensor){OCTET_U8, 3, {3, 8, 6}, large, sizeof large};
    picture_fill(&image, &t);
    for (int i = 0; i < 3 * 8 * 6; i++) {
        int c = i / 48, y = i / 6 % 8 * 4 / 8, x = i % 6 * 4 / 6;
        int wide = (i % 6 + 1) * 4 / 6 - x; /* 4 into 6: shares of no pixel and of one */
        assert_true(wide <= 1);
        assert_int_equal(large[i], pixels[(y * 4 + x) * 3 + c]);
    }
}

/* ---- .npz ---------------------------------------------------------------------------------------------- */

static size_t put(unsigned char *at, uint32_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (unsigned char)(number >> 8 * i);
    return bytes;
}

typedef struct entry {
    const char *name; /* with ".npy" */
    bool deflated;
    unsigned char data[1024], packed[1024];
    size_t bytes, packed_bytes, at;
} entry;

/* The fields that the local header and the central directory share, from the version on. */
static size_t put_fields(unsigned char *at, const entry *e)
{
    size_t n = put(at, 20, 2);
    n += put(at + n, 0, 2);
    n += put(at + n, e->deflated ? 8 : 0, 2);
    n += put(at + n, 0, 4); /* time and date */
    n += put(at + n, (uint32_t)crc32(0, e->data, (uInt)e->bytes), 4);
    n += put(at + n, (uint32_t)e->packed_bytes, 4);
    n += put(at + n, (uint32_t)e->bytes, 4);
    n += put(at + n, (uint32_t)strlen(e->name), 2);
    return n + put(at + n, 0, 2);
}

static void pack(entry *e)
{
    e->packed_bytes = e->bytes;
    memcpy(e->packed, e->data, e->bytes);
    if (!e->deflated)
        return;
    z_stream z = {
        .next_in = e->data, .avail_in = (uInt)e->bytes, .next_out = e->packed, .avail_out = sizeof e->packed};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    e->packed_bytes = z.total_out;
    assert_int_equal(deflateEnd(&z), Z_OK);
}

static size_t make_archive(entry *entries, size_t count, unsigned char *zip)
{
    size_t n = 0, start;
    for (size_t i = 0; i < count; i++) {
        entry *e = &entries[i];
        pack(e);
        e->at = n;
        n += put(zip + n, 0x04034b50, 4);
        n += put_fields(zip + n, e);
        memcpy(zip + n, e->name, strlen(e->name));
        n += strlen(e->name);
        memcpy(zip + n, e->packed, e->packed_bytes);
        n += e->packed_bytes;
    }
    start = n;
    for (size_t i = 0; i < count; i++) {
        n += put(zip + n, 0x02014b50, 4);
        n += put(zip + n, 20, 2);
        n += put_fields(zip + n, &entries[i]);
        n += put(zip + n, 0, 2); /* comment */
        n += put(zip + n, 0, 2); /* disk */
        n += put(zip + n, 0, 2); /* attributes */
        n += put(zip + n, 0, 4);
        n += put(zip + n, (uint32_t)entries[i].at, 4);
        memcpy(zip + n, entries[i].name, strlen(entries[i].name));
        n += strlen(entries[i].name);
    }
    size_t length = n - start;
    n += put(zip + n, 0x06054b50, 4);
    n += put(zip + n, 0, 4);
    n += put(zip + n, (uint32_t)count, 2);
    n += put(zip + n, (uint32_t)count, 2);
    n += put(zip + n, (uint32_t)length, 4);
    n += put(zip + n, (uint32_t)start, 4);
    return n + put(zip + n, 0, 2);
}

typedef struct taken {
    int count;
    float sum;
    char names[64];
} taken;

static int take(void *user, const char *name, octet_tensor *tensor)
{
    taken *t = user;
    t->count++;
    strncat(t->names, name, sizeof t->names - strlen(t->names) - 1);
    for (size_t i = 0; tensor->dtype == OCTET_F32 && i < tensor->data_bytes / sizeof(float); i++)
        t->sum += ((float *)tensor->data)[i];
    octet_tensor_free(tensor);
    return EXIT_DONE;
}

/* Whole; then cut at every byte, and every byte damaged: read or refused, never a crash. */
static void npz_archives(void **state)
{
    static entry entries[2];
    static unsigned char zip[8192], bad[8192];
    int refused = 0;
    (void)state;
    for (int i = 0; i < 2; i++) {
        octet_tensor t = {.dtype = OCTET_F32, .rank = 1, .dims = {6}};
        assert_int_equal(octet_tensor_alloc(&t), OCTET_OK);
        for (int k = 0; k < 6; k++)
            ((float *)t.data)[k] = (float)(k + i);
        write_npy(&t);
        octet_tensor_free(&t);
        entries[i].name = i ? "second.npy" : "first.npy";
        entries[i].deflated = i == 1;
        entries[i].bytes = read_file(path, entries[i].data, sizeof entries[i].data);
    }
    size_t bytes = make_archive(entries, 2, zip);
    taken t = {0};
    write_file(zip, bytes);
    assert_int_equal(npz_read(path, take, &t), EXIT_DONE);
    assert_int_equal(t.count, 2);
    assert_true(t.sum == 15 + 21);
    assert_string_equal(t.names, "firstsecond");
    int saved = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDERR_FILENO);
    for (size_t i = 0; i < 2 * bytes; i++) {
        memcpy(bad, zip, bytes);
        bad[i % bytes] ^= i < bytes ? 0 : 0xFF;
        write_file(bad, i < bytes ? i : bytes);
        refused += npz_read(path, take, &t) != EXIT_DONE;
    }
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(nowhere);
    assert_true(refused > (int)bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npz_archives), cmocka_unit_test(npy_round_trip), cmocka_unit_test(npy_headers),
        cmocka_unit_test(npy_damaged),  cmocka_unit_test(pictures),       cmocka_unit_test(picture_scaling),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
