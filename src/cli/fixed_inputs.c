/* See fixed.h. */
#include "fixed_inputs.h"
#include "shapes.h"
#include "tensors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* One element of each kind that a number can be. */
static bool parse_number(const char *text, octet_dtype dtype, void *element)
{
    char *end;
    errno = 0;
    if (dtype == OCTET_F32) {
        float f = strtof(text, &end);
        memcpy(element, &f, sizeof f);
        return end != text && !*end;
    }
    long long wide = strtoll(text, &end, 10);
    int32_t narrow = (int32_t)wide;
    unsigned char one = wide != 0;
    if (end == text || *end || errno)
        return false;
    switch (dtype) {
    case OCTET_S64:
        memcpy(element, &wide, sizeof wide);
        return true;
    case OCTET_S32:
        memcpy(element, &narrow, sizeof narrow);
        return narrow == wide;
    case OCTET_BOOL:
        memcpy(element, &one, sizeof one);
        return wide == 0 || wide == 1;
    default:
        return false;
    }
}

/* A number for every element; a dimension that the model leaves open is 1. */
static int make_value(const octet_value_info *info, const char *text, octet_tensor *value)
{
    unsigned char element[8];
    struct stat about;
    if (!parse_number(text, info->dtype, element) && stat(text, &about) != 0)
        return cli_usage("--fix %s=%s: that is no number of type %s, and no file", info->name, text,
                         octet_dtype_name(info->dtype));
    if (!parse_number(text, info->dtype, element))
        return tensor_read(text, value);
    *value = (octet_tensor){.dtype = info->dtype, .rank = info->rank};
    for (int d = 0; d < info->rank; d++)
        value->dims[d] = info->dims[d] < 0 ? 1 : info->dims[d];
    if (octet_tensor_alloc(value) != OCTET_OK)
        return cli_octet_error();
    size_t each = octet_dtype_bytes(info->dtype);
    for (size_t at = 0; at < octet_tensor_bytes(value); at += each)
        memcpy((char *)value->data + at, element, each);
    return EXIT_DONE;
}

static bool names_input(const octet_model *model, const char *text)
{
    for (size_t i = 0; i < octet_model_input_count(model); i++) {
        octet_value_info info;
        OCTET_INIT(info);
        size_t length = octet_model_input(model, i, &info) == OCTET_OK ? strlen(info.name) : 0;
        if (length && strncmp(text, info.name, length) == 0 && text[length] == '=')
            return true;
    }
    return false;
}

static int add(const octet_model *model, const char *text, fixed_inputs *fixed)
{
    size_t index;
    const char *rest;
    octet_value_info info;
    OCTET_INIT(info);
    int status = shapes_find_input(model, "fix", text, &index, &rest);
    if (status == EXIT_DONE && octet_model_input(model, index, &info) != OCTET_OK)
        status = cli_octet_error();
    if (status != EXIT_DONE)
        return status;
    char *name = malloc(strlen(info.name) + 1);
    if (!name)
        return cli_error("out of memory");
    fixed->items[fixed->count].name = fixed->names[fixed->count] = strcpy(name, info.name);
    return make_value(&info, rest, &fixed->items[fixed->count++].value);
}

/* Those of the options that this model has, but for what is in the list already. maybe: it need not have
 * the others. */
static int add_all(const cli_options *options, const char *path, bool maybe, fixed_inputs *fixed)
{
    octet_model *model = NULL;
    int status = octet_model_load(NULL, path, NULL, &model) == OCTET_OK ? EXIT_DONE : cli_octet_error();
    for (size_t i = 0; status == EXIT_DONE && i < options->fixed.count; i++) {
        const char *text = options->fixed.items[i];
        bool there = false;
        for (size_t k = 0; k < fixed->count; k++)
            there = there || (strncmp(text, fixed->names[k], strlen(fixed->names[k])) == 0 &&
                              text[strlen(fixed->names[k])] == '=');
        if (!there && (!maybe || names_input(model, text)))
            status = add(model, text, fixed);
    }
    octet_model_destroy(model);
    return status;
}

static int make(const cli_options *options, fixed_inputs *fixed)
{
    *fixed = (fixed_inputs){.items = calloc(options->fixed.count + 1, sizeof *fixed->items),
                            .names = calloc(options->fixed.count + 1, sizeof *fixed->names)};
    return fixed->items && fixed->names ? EXIT_DONE : cli_error("out of memory");
}

int fixed_read(const cli_options *options, const char *path, fixed_inputs *fixed)
{
    int status = make(options, fixed);
    if (status == EXIT_DONE && options->fixed.count)
        status = add_all(options, path, false, fixed);
    if (status != EXIT_DONE)
        fixed_free(fixed);
    return status;
}

int fixed_read_both(const cli_options *options, const char *a, const char *b, fixed_inputs *fixed)
{
    int status = make(options, fixed);
    if (status == EXIT_DONE && options->fixed.count)
        status = add_all(options, a, true, fixed);
    if (status == EXIT_DONE && fixed->count < options->fixed.count)
        status = add_all(options, b, false, fixed);
    if (status != EXIT_DONE)
        fixed_free(fixed);
    return status;
}

void fixed_free(fixed_inputs *fixed)
{
    for (size_t i = 0; i < fixed->count; i++) {
        octet_tensor_free(&fixed->items[i].value);
        free(fixed->names[i]);
    }
    free(fixed->items);
    free(fixed->names);
    *fixed = (fixed_inputs){0};
}

static int load_with(octet_context *context, const char *path, const fixed_inputs *fixed, octet_model **model)
{
    octet_model_desc desc;
    OCTET_INIT(desc);
    desc.fixed = fixed->items;
    desc.fixed_count = fixed->count;
    return octet_model_load(context, path, &desc, model) == OCTET_OK ? EXIT_DONE : cli_octet_error();
}

int fixed_load(const cli_options *options, octet_context *context, const char *path, octet_model **model)
{
    fixed_inputs fixed;
    int status = fixed_read(options, path, &fixed);
    if (status != EXIT_DONE)
        return status;
    status = load_with(context, path, &fixed, model);
    fixed_free(&fixed);
    return status;
}

int fixed_load_some(const cli_options *options, octet_context *context, const char *path, octet_model **model)
{
    fixed_inputs fixed;
    int status = make(options, &fixed);
    if (status == EXIT_DONE && options->fixed.count)
        status = add_all(options, path, true, &fixed);
    if (status == EXIT_DONE)
        status = load_with(context, path, &fixed, model);
    fixed_free(&fixed);
    return status;
}
