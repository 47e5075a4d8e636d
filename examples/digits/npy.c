/* The header of a .npy file is a Python dictionary in text:
 *   {'descr': '<f4', 'fortran_order': False, 'shape': (360, 10), }
 * after 6 bytes of magic, 2 of version and a little-endian length (2 bytes in version 1, 4 in later ones).
 */
#include "npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_MAX = 4096 };

/* The text after `key` and its colon in the header, or NULL. */
static const char *value_of(const char *header, const char *key)
{
    const char *at = strstr(header, key);
    if (!at || !(at = strchr(at, ':')))
        return NULL;
    return at + 1 + strspn(at + 1, " ");
}

/* Fill in dtype, rank and dims from the header's text; 0 or -1. */
static int parse_header(const char *header, octet_tensor *tensor)
{
    const char *type = value_of(header, "'descr'");
    const char *order = value_of(header, "'fortran_order'");
    const char *shape = value_of(header, "'shape'");
    if (!type || !order || !shape || *shape != '(' || strncmp(order, "False", 5) != 0)
        return -1;
    if (strncmp(type, "'<f4'", 5) == 0)
        tensor->dtype = OCTET_F32;
    else if (strncmp(type, "'|u1'", 5) == 0)
        tensor->dtype = OCTET_U8;
    else
        return -1;
    const char *at = shape + 1;
    while (*at && *at != ')') {
        char *end;
        long long dim = strtoll(at, &end, 10);
        if (end == at || dim < 0 || tensor->rank == OCTET_MAX_RANK)
            return -1;
        tensor->dims[tensor->rank++] = dim;
        at = end + strspn(end, ", ");
    }
    return *at == ')' ? 0 : -1;
}

/* Read the header's text into `header`, terminated; 0 or -1. */
static int read_header(FILE *file, char header[HEADER_MAX])
{
    unsigned char head[8], length[4] = {0};
    if (fread(head, 1, 8, file) != 8 || memcmp(head, "\x93NUMPY", 6) != 0)
        return -1;
    size_t length_bytes = head[6] == 1 ? 2 : 4;
    if (fread(length, 1, length_bytes, file) != length_bytes)
        return -1;
    size_t size = length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 | (size_t)length[3] << 24;
    if (size >= HEADER_MAX || fread(header, 1, size, file) != size)
        return -1;
    header[size] = '\0';
    return 0;
}

int npy_read(const char *path, octet_tensor *tensor)
{
    char header[HEADER_MAX];
    memset(tensor, 0, sizeof *tensor);
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return -1;
    }
    int good = read_header(file, header) == 0 && parse_header(header, tensor) == 0 &&
               octet_tensor_alloc(tensor) == OCTET_OK &&
               fread(tensor->data, 1, octet_tensor_bytes(tensor), file) == octet_tensor_bytes(tensor);
    fclose(file);
    if (!good) {
        fprintf(stderr, "%s: not a complete .npy file of f32 or u8 in row-major order\n", path);
        octet_tensor_free(tensor);
        memset(tensor, 0, sizeof *tensor);
        return -1;
    }
    return 0;
}
