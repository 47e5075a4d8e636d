/* See shapes.h. */
#include "shapes.h"
#include "tensors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int shapes_find_input(const octet_model *model, const char *option, const char *text, size_t *index,
                      const char **rest)
{
    octet_value_info info;
    size_t longest = 0, count = octet_model_input_count(model);
    const char *equals = strchr(text, '=');
    *index = 0;
    *rest = equals ? NULL : text;
    if (!equals)
        return count == 1 ? EXIT_DONE
                          : cli_usage("--%s takes NAME=... where a model has %zu inputs, not \"%s\"", option,
                                      count, text);
    for (size_t i = 0; i < count; i++) {
        OCTET_INIT(info);
        if (octet_model_input(model, i, &info) != OCTET_OK)
            return cli_octet_error();
        size_t length = strlen(info.name);
        if (strncmp(text, info.name, length) == 0 && text[length] == '=' && length >= longest) {
            *index = i;
            *rest = text + length + 1;
            longest = length;
        }
    }
    if (*rest)
        return EXIT_DONE;
    OCTET_INIT(info);
    octet_model_input(model, 0, &info);
    return cli_error("--%s: the model has no input \"%.*s\"; %s%s%s", option, (int)(equals - text), text,
                     info.name ? "its first is \"" : "it has none", info.name ? info.name : "",
                     info.name ? "\"" : "");
}

/* "1x3x224x224" */
static int parse_dims(const char *text, int *rank, int64_t *dims)
{
    const char *at = text;
    for (*rank = 0; *rank < OCTET_MAX_RANK; at++) {
        char *end;
        errno = 0;
        long long n = strtoll(at, &end, 10);
        if (*at < '0' || *at > '9' || errno || (*end && *end != 'x'))
            break;
        dims[(*rank)++] = n;
        if (!*end)
            return EXIT_DONE;
        at = end;
    }
    return cli_usage("--shape takes dimensions like 1x3x224x224, at most %d, not \"%s\"", OCTET_MAX_RANK,
                     text);
}

/* One --shape onto the input it names. */
static int apply(const octet_model *model, const char *text, size_t index, octet_value_info *info)
{
    int64_t dims[OCTET_MAX_RANK];
    const char *rest;
    size_t found;
    int rank, status = shapes_find_input(model, "shape", text, &found, &rest);
    if (status != EXIT_DONE || found != index)
        return status;
    status = parse_dims(rest, &rank, dims);
    if (status != EXIT_DONE)
        return status;
    bool fits = info->rank == rank;
    for (int d = 0; fits && d < rank; d++)
        fits = info->dims[d] < 0 || info->dims[d] == dims[d];
    if (!fits) {
        char want[256];
        return cli_error("--shape %s: input \"%s\" is %s", text, info->name,
                         shape_text(want, sizeof want, info->dtype, info->rank, info->dims));
    }
    memcpy(info->dims, dims, (size_t)rank * sizeof *dims);
    return EXIT_DONE;
}

int shapes_input(const cli_options *options, const octet_model *model, size_t index, octet_value_info *info)
{
    OCTET_INIT(*info);
    if (octet_model_input(model, index, info) != OCTET_OK)
        return cli_octet_error();
    for (size_t i = 0; i < options->dims.count; i++) {
        int status = apply(model, options->dims.items[i], index, info);
        if (status != EXIT_DONE)
            return status;
    }
    if (options->batch && info->rank > 0 && info->dims[0] < 0)
        info->dims[0] = options->batch;
    return EXIT_DONE;
}

int shapes_border(const cli_options *options, octet_border *border)
{
    static const char *const names[] = {"auto", "host", "device"}; /* in octet_border's order */
    *border = OCTET_BORDER_AUTO;
    if (!options->border)
        return EXIT_DONE;
    for (int i = 0; i < 3; i++) {
        if (strcmp(options->border, names[i]) == 0) {
            *border = (octet_border)i;
            return EXIT_DONE;
        }
    }
    return cli_usage("--border takes auto, host or device, not \"%s\"", options->border);
}

int shapes_check_strict(const cli_options *options, const octet_inspection *inspection)
{
    char name[256], op[128], reason[512];
    for (size_t i = 0; options->strict_int8 && i < octet_inspection_node_count(inspection); i++) {
        octet_node_info n;
        OCTET_INIT(n);
        if (octet_inspection_node(inspection, i, &n) != OCTET_OK)
            return cli_octet_error();
        cli_clean(name, sizeof name, n.name);
        cli_clean(op, sizeof op, n.op_type);
        if (n.path == OCTET_NODE_REFUSED)
            return cli_error("--strict-int8: node \"%s\" (%s) is refused: %s", name, op,
                             cli_clean(reason, sizeof reason, n.reason));
        if (n.path == OCTET_NODE_FLOAT)
            return cli_error("--strict-int8: node \"%s\" (%s) computes in float; quantize what it reads and "
                             "writes, or run without the option",
                             name, op);
    }
    return EXIT_DONE;
}
