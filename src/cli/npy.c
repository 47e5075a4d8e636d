/* The header of a .npy file is a Python dictionary in text:
 *   {'descr': '<f4', 'fortran_order': False, 'shape': (360, 10), }
 * after 6 bytes of magic, 2 of version and a little-endian length (2 bytes in version 1, 4 in later ones). It
 * must have exactly those three keys, once each, in any order; the data must be exactly as long as it says.
 */
#include "npy.h"
#include "cli.h"
#include "used_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_MAX = 65535, MAGIC_BYTES = 6, PREFIX_BYTES = 10, ALIGNMENT = 64 };
static const char magic[] = "\x93NUMPY";

static const struct {
    const char *code;
    octet_dtype dtype;
} codes[] = {
    {"f4", OCTET_F32}, {"u1", OCTET_U8},  {"i1", OCTET_S8},  {"u2", OCTET_U16},
    {"i2", OCTET_S16}, {"i4", OCTET_S32}, {"i8", OCTET_S64}, {"b1", OCTET_BOOL},
    {"f2", OCTET_F16}, {"f8", OCTET_F64}, {"u4", OCTET_U32}, {"u8", OCTET_U64},
};
enum { CODES = sizeof codes / sizeof codes[0] };

typedef struct reader {
    const char *path, *at; /* at: in the header's text, which is terminated */
    octet_tensor *tensor;
    bool seen[3]; /* descr, fortran_order, shape */
} reader;

static int bad(const reader *r, const char *what)
{
    return cli_error("%s: %s", r->path, what);
}

static void skip_space(reader *r)
{
    r->at += strspn(r->at, " \t\n");
}

/* Take `c`, blanks around it allowed. */
static bool take(reader *r, char c)
{
    skip_space(r);
    if (*r->at != c)
        return false;
    r->at++;
    skip_space(r);
    return true;
}

static bool take_word(reader *r, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(r->at, word, length) != 0)
        return false;
    r->at += length;
    return true;
}

/* A quoted string without escapes. */
static bool take_string(reader *r, char *text, size_t size)
{
    char quote = *r->at;
    if (quote != '\'' && quote != '"')
        return false;
    const char *end = strchr(r->at + 1, quote);
    if (!end || (size_t)(end - r->at - 1) >= size)
        return false;
    memcpy(text, r->at + 1, (size_t)(end - r->at - 1));
    text[end - r->at - 1] = '\0';
    r->at = end + 1;
    return true;
}

static int parse_descr(reader *r)
{
    char text[16] = ""; /* all of it: '' has nothing behind its first character */
    if (!take_string(r, text, sizeof text))
        return bad(r, "the elements are not of one plain type; save an array of numbers");
    if (text[0] == '>' && text[1] && text[2] != '1')
        return bad(r, "the numbers are big-endian; save them little-endian");
    for (size_t i = 0; strchr("<>|=", text[0]) && i < CODES; i++) {
        if (strcmp(text + 1, codes[i].code) == 0) {
            r->tensor->dtype = codes[i].dtype;
            return EXIT_DONE;
        }
    }
    return cli_error("%s: element type \"%s\"; only integers, floats and bool can be read", r->path, text);
}

static int parse_order(reader *r)
{
    if (take_word(r, "False"))
        return EXIT_DONE;
    if (take_word(r, "True"))
        return bad(r, "the array is in Fortran order; save numpy.ascontiguousarray(array)");
    return bad(r, "fortran_order in the .npy header is neither True nor False");
}

static int parse_shape(reader *r)
{
    if (!take(r, '('))
        return bad(r, "no shape in the .npy header");
    while (!take(r, ')')) {
        char *end;
        errno = 0;
        long long dim = strtoll(r->at, &end, 10);
        if (*r->at < '0' || *r->at > '9' || errno)
            return bad(r, "a dimension in the .npy header is not a number");
        if (r->tensor->rank == OCTET_MAX_RANK)
            return cli_error("%s: more than %d dimensions", r->path, OCTET_MAX_RANK);
        r->tensor->dims[r->tensor->rank++] = dim;
        r->at = end;
        if (!take(r, ',') && *r->at != ')')
            return bad(r, "the shape in the .npy header is damaged");
    }
    return EXIT_DONE;
}

static int parse_header(reader *r)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    static int (*const parsers[])(reader *) = {parse_descr, parse_order, parse_shape};
    if (!take(r, '{'))
        return bad(r, "no dictionary in the .npy header");
    while (!take(r, '}')) {
        char key[16];
        size_t k = 0;
        if (!take_string(r, key, sizeof key) || !take(r, ':'))
            return bad(r, "the .npy header is damaged");
        while (k < 3 && strcmp(key, keys[k]) != 0)
            k++;
        if (k == 3 || r->seen[k])
            return bad(r, "the .npy header has a key that is unknown or there twice");
        r->seen[k] = true;
        if (parsers[k](r) != EXIT_DONE)
            return EXIT_FAILED;
        if (!take(r, ',') && *r->at != '}')
            return bad(r, "the .npy header is damaged");
    }
    skip_space(r);
    if (!r->seen[0] || !r->seen[1] || !r->seen[2] || *r->at)
        return bad(r, "the .npy header is damaged");
    return EXIT_DONE;
}

/* Read and parse the header; *payload_at is where the data starts. */
static int read_header(reader *r, FILE *file, size_t *payload_at)
{
    unsigned char head[8], length[4] = {0};
    if (fread(head, 1, sizeof head, file) != sizeof head || memcmp(head, magic, MAGIC_BYTES) != 0)
        return bad(r, "not a .npy file");
    if (head[6] < 1 || head[6] > 3)
        return cli_error("%s: .npy version %d; 1 to 3 can be read", r->path, head[6]);
    size_t length_bytes = head[6] == 1 ? 2 : 4;
    if (fread(length, 1, length_bytes, file) != length_bytes)
        return bad(r, "the .npy header is cut off");
    size_t size = length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 | (size_t)length[3] << 24;
    if (size > HEADER_MAX)
        return bad(r, "the .npy header is longer than any array needs");
    char *text = malloc(size + 1);
    if (!text)
        return bad(r, "out of memory");
    int status = EXIT_FAILED;
    if (fread(text, 1, size, file) != size)
        bad(r, "the .npy header is cut off");
    else if (memchr(text, '\0', size))
        bad(r, "the .npy header is damaged");
    else {
        text[size] = '\0';
        r->at = text;
        status = parse_header(r);
    }
    free(text);
    *payload_at = sizeof head + length_bytes + size;
    return status;
}

static int read_payload(reader *r, FILE *file, uint64_t payload_bytes)
{
    octet_tensor *t = r->tensor;
    size_t bytes = octet_tensor_bytes(t);
    bool empty = false;
    for (int i = 0; i < t->rank; i++)
        empty |= t->dims[i] == 0;
    if (bytes == 0 && !empty)
        return bad(r, "the shape is too large for this machine");
    if (bytes != payload_bytes)
        return cli_error("%s: the header promises %zu bytes of data, the file has %llu", r->path, bytes,
                         (unsigned long long)payload_bytes);
    if (octet_tensor_alloc(t) != OCTET_OK)
        return cli_error("%s: %s", r->path, octet_last_error());
    if (bytes && fread(t->data, 1, bytes, file) != bytes)
        return bad(r, "cannot be read to its end");
    unsigned char *truth = t->data;
    for (size_t i = 0; t->dtype == OCTET_BOOL && i < bytes; i++)
        truth[i] = truth[i] != 0;
    return EXIT_DONE;
}

int npy_read(const char *path, octet_tensor *tensor)
{
    FILE *file;
    size_t bytes;
    memset(tensor, 0, sizeof *tensor);
    if (input_open(path, &file, &bytes) != EXIT_DONE)
        return EXIT_FAILED;
    int status = npy_read_from(file, bytes, path, tensor);
    fclose(file);
    return status;
}

int npy_read_from(FILE *file, uint64_t bytes, const char *path, octet_tensor *tensor)
{
    reader r = {.path = path, .tensor = tensor};
    size_t payload_at = 0;
    memset(tensor, 0, sizeof *tensor);
    int status = read_header(&r, file, &payload_at);
    if (status == EXIT_DONE)
        status = read_payload(&r, file, bytes - payload_at);
    if (status != EXIT_DONE) {
        octet_tensor_free(tensor);
        memset(tensor, 0, sizeof *tensor);
    }
    return status;
}

/* The header's text, padded so that the data starts at a multiple of ALIGNMENT; its length. */
static size_t make_header(const octet_tensor *t, char *text, size_t size)
{
    const char *code = "u2";
    size_t used, end;
    for (size_t i = 0; i < CODES; i++) {
        if (codes[i].dtype == t->dtype)
            code = codes[i].code;
    }
    used = (size_t)snprintf(text, size, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                            code[1] == '1' ? '|' : '<', code);
    for (int i = 0; i < t->rank; i++)
        used += (size_t)snprintf(text + used, size - used, "%lld%s", (long long)t->dims[i],
                                 t->rank == 1      ? ","
                                 : i + 1 < t->rank ? ", "
                                                   : "");
    used += (size_t)snprintf(text + used, size - used, "), }");
    end = (PREFIX_BYTES + used + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT - PREFIX_BYTES;
    memset(text + used, ' ', end - used);
    text[end - 1] = '\n';
    return end;
}

void npy_write(oct_out_file *out, const octet_tensor *tensor)
{
    char header[512];
    unsigned char prefix[PREFIX_BYTES] = {0};
    size_t length = make_header(tensor, header, sizeof header);
    memcpy(prefix, magic, MAGIC_BYTES);
    prefix[6] = 1;
    prefix[8] = (unsigned char)(length & 255);
    prefix[9] = (unsigned char)(length >> 8);
    if (oct_out_write(out, prefix, sizeof prefix) && oct_out_write(out, header, length))
        oct_out_write(out, tensor->data, octet_tensor_bytes(tensor));
}
