/* How the command speaks: errors, progress, clean names. */
#include "cli.h"
#include "line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *cli_clean(char *buffer, size_t size, const char *text)
{
    size_t i = 0;
    for (; text && text[i] && i + 1 < size; i++) {
        unsigned char c = (unsigned char)text[i];
        buffer[i] = c < 32 || c == 127 ? '?' : text[i];
    }
    buffer[i] = '\0';
    return buffer;
}

static void complain(const char *fmt, va_list args)
{
    char line[OCT_LINE_BYTES];
    oct_line_format(line, fmt, args);
    fflush(stdout); /* the error follows what was said before it */
    fprintf(stderr, "octet: %s\n", line);
}

int cli_error(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    complain(fmt, args);
    va_end(args);
    return EXIT_FAILED;
}

int cli_usage(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    complain(fmt, args);
    va_end(args);
    return EXIT_USAGE;
}

int cli_octet_error(void)
{
    return cli_error("%s", octet_last_error());
}

static bool shows_progress(const cli_options *options)
{
    return !options->quiet && isatty(STDERR_FILENO);
}

void cli_progress(const cli_options *options, const char *fmt, ...)
{
    char text[120], line[120];
    va_list args;
    if (!shows_progress(options))
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    fprintf(stderr, "\r%-78.78s", cli_clean(line, sizeof line, text));
    fflush(stderr);
}

void cli_progress_end(const cli_options *options)
{
    if (shows_progress(options))
        fprintf(stderr, "\r%78s\r", "");
}

bool cli_names_several(const cli_options *options)
{
    return options->device && (strcmp(options->device, "all") == 0 || strchr(options->device, ','));
}

static void say_choice(void *user, const char *line)
{
    char text[2048];
    (void)user;
    fprintf(stderr, "octet: %s\n", cli_clean(text, sizeof text, line));
}

octet_status cli_create_context(const cli_options *options, const char *device, octet_context **context)
{
    octet_context_desc desc;
    OCTET_INIT(desc);
    desc.device = device;
    desc.profiling = options->kernels;
    desc.log = options->verbose ? say_choice : NULL;
    return octet_context_create(&desc, context);
}

int cli_open_context(const cli_options *options, octet_context **context)
{
    if (cli_names_several(options))
        return cli_usage("--device %s: several devices are for octet run and octet bench MODEL; name one",
                         options->device);
    return cli_create_context(options, options->device, context) == OCTET_OK ? EXIT_DONE : cli_octet_error();
}

double cli_seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

const char *cli_bytes_text(char *buffer, size_t size, uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes / 1024;
    size_t unit = 0;
    if (bytes < 1024) {
        snprintf(buffer, size, "%u B", (unsigned)bytes);
        return buffer;
    }
    for (; value >= 1024 && unit < 3; unit++)
        value /= 1024;
    snprintf(buffer, size, "%.1f %s", value, units[unit]);
    return buffer;
}
