/* .npz: a ZIP archive of .npy files, stored or deflated (APPNOTE.TXT 6.3: 4.3.7, 4.3.12, 4.3.16; numpy writes
 * no encryption, no spanning, and ZIP64 only past 4 GB, which is refused). The central directory counts. */
#include "cli.h"
#include "npy.h"
#include "used_files.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { END_BYTES = 22, ENTRY_BYTES = 46, LOCAL_BYTES = 30, COMMENT_MAX = 65535 };

typedef struct archive {
    const char *path;
    unsigned char *data;
    size_t bytes;
} archive;

static uint32_t number(const unsigned char *at, int bytes)
{
    uint32_t n = 0;
    for (int i = bytes - 1; i >= 0; i--)
        n = n << 8 | at[i];
    return n;
}

static int damaged(const archive *a)
{
    return cli_error("%s: not a .npz file, or it is damaged", a->path);
}

/* The contents of an entry, terminated by nothing; NULL: damaged. */
static unsigned char *unpack(const archive *a, const unsigned char *entry, size_t *bytes)
{
    uint32_t method = number(entry + 10, 2), packed = number(entry + 20, 4), size = number(entry + 24, 4),
             at = number(entry + 42, 4);
    if ((size_t)at + LOCAL_BYTES > a->bytes || number(a->data + at, 4) != 0x04034b50)
        return NULL;
    size_t start = (size_t)at + LOCAL_BYTES + number(a->data + at + 26, 2) + number(a->data + at + 28, 2);
    if (start > a->bytes || a->bytes - start < packed || (method == 0 && packed != size) ||
        (method != 0 && method != 8) || size / 1100 > packed) /* deflate packs 1032 to 1 at best */
        return NULL;
    unsigned char *out = malloc((size_t)size + 1);
    *bytes = size;
    if (!out || method == 0)
        return out ? memcpy(out, a->data + start, size) : NULL;
    z_stream z = {.next_in = a->data + start, .avail_in = packed, .next_out = out, .avail_out = size};
    bool good = inflateInit2(&z, -MAX_WBITS) == Z_OK;
    good = good && inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out == size;
    (void)inflateEnd(&z);
    if (good)
        return out;
    free(out);
    return NULL;
}

static int take_entry(const archive *a, const unsigned char *entry, npz_take_fn *take, void *user)
{
    char name[256], where[512];
    size_t length = number(entry + 28, 2), bytes = 0;
    if (length < 4 || length >= sizeof name || memcmp(entry + ENTRY_BYTES + length - 4, ".npy", 4) != 0)
        return damaged(a);
    memcpy(name, entry + ENTRY_BYTES, length - 4);
    name[length - 4] = '\0';
    unsigned char *data = unpack(a, entry, &bytes);
    if (!data)
        return damaged(a);
    octet_tensor tensor;
    snprintf(where, sizeof where, "%s: %s", a->path, name);
    FILE *file = bytes ? fmemopen(data, bytes, "rb") : NULL;
    int status = file ? npy_read_from(file, bytes, where, &tensor) : damaged(a);
    if (file)
        fclose(file);
    free(data);
    return status == EXIT_DONE ? take(user, name, &tensor) : status;
}

static int take_all(const archive *a, npz_take_fn *take, void *user)
{
    size_t end = a->bytes < END_BYTES ? 0 : a->bytes - END_BYTES,
           least = end > COMMENT_MAX ? end - COMMENT_MAX : 0;
    if (a->bytes < END_BYTES)
        return damaged(a);
    while (end > least && number(a->data + end, 4) != 0x06054b50)
        end--;
    if (number(a->data + end, 4) != 0x06054b50)
        return damaged(a);
    size_t count = number(a->data + end + 10, 2), at = number(a->data + end + 16, 4);
    for (size_t i = 0; i < count; i++) {
        if (at > a->bytes || a->bytes - at < ENTRY_BYTES || number(a->data + at, 4) != 0x02014b50)
            return damaged(a);
        size_t length = ENTRY_BYTES + number(a->data + at + 28, 2) + number(a->data + at + 30, 2) +
                        number(a->data + at + 32, 2);
        if (a->bytes - at < length)
            return damaged(a);
        int status = take_entry(a, a->data + at, take, user);
        if (status != EXIT_DONE)
            return status;
        at += length;
    }
    return EXIT_DONE;
}

int npz_read(const char *path, npz_take_fn *take, void *user)
{
    archive a = {.path = path};
    int status = input_read(path, &a.data, &a.bytes);
    if (status != EXIT_DONE)
        return status;
    status = take_all(&a, take, user);
    free(a.data);
    return status;
}
