/* See json.h. */
#include "json.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

int json_open(const cli_options *options, FILE **json)
{
    *json = NULL;
    if (options->json && !(*json = fopen(options->json, "w")))
        return cli_error("%s: %s", options->json, strerror(errno));
    return EXIT_DONE;
}

int json_close(const cli_options *options, FILE *json, int status)
{
    struct stat about;
    if (!json)
        return status;
    bool good = !ferror(json);
    if ((fclose(json) != 0 || !good) && status == EXIT_DONE)
        status = cli_error("%s: cannot be written", options->json);
    /* Never a device such as /dev/null, nor a link to one. */
    if (status != EXIT_DONE && lstat(options->json, &about) == 0 && S_ISREG(about.st_mode))
        remove(options->json);
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
