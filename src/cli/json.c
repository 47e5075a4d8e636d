/* See json.h. */
#include "json.h"

#include "used_files.h"

/* A command line has one --json. */
static output_file file = {.out = {.folder = -1}};

int json_open(const cli_options *options, FILE **json)
{
    *json = NULL;
    int status = options->json ? output_open(options->json, &file) : EXIT_DONE;
    if (status == EXIT_DONE && options->json)
        *json = file.out.stream;
    return status;
}

int json_close(const cli_options *options, FILE *json, int status)
{
    (void)options;
    if (json && status == EXIT_DONE)
        status = output_finish(&file);
    if (json && status == EXIT_DONE)
        status = output_commit(&file, 1);
    output_abandon(&file, 1);
    return status;
}

void json_known(FILE *json, double value)
{
    if (value > 0)
        fprintf(json, "%.6g", value);
    else
        fprintf(json, "null");
}

void json_string(FILE *json, const char *text)
{
    fputc('"', json);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 32 || c == 127)
            fprintf(json, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            fprintf(json, "\\%c", c);
        else
            fputc(c, json);
    }
    fputc('"', json);
}
