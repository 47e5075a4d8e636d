/* What the files of the `octet` command share: the options, the commands, and how it speaks.
 *
 * The command is a client of liboctet: it sees octet.h and nothing else of the library. Results go to
 * standard output, one line per error to standard error. A command returns its exit status.
 */
#ifndef CLI_H
#define CLI_H

#include <octet/octet.h>
#include <stdbool.h>
#include <stddef.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* A text list that options of the same name fill in order. */
typedef struct cli_list {
    const char **items;
    size_t count;
} cli_list;

/* Everything a command line can say; a command reads what its rows of the option table allow. */
typedef struct cli_options {
    const char *device, *output, *image, *labels, *shapes, *json, *variant;
    const char *activations, *observer, *percentile, *report, *format, *mean, *std, *scale, *size, *raise,
        *smooth, *split; /* quantize */
    const char *border;
    cli_list inputs, gemms, operands, dims, calibration, excludes, wide, fixed;
    long top, batch, seconds, seed, samples, keep;
    uint64_t memory_limit;
    bool quiet, verbose, help, version, strict_int8, show, reset, check;
    bool per_tensor, symmetric, reduce_range, no_bias_correction, equalize, integer_softmax, adaptive,
        nearest, all, bgr, layers; /* quantize, compare */
    bool kernels;                  /* bench */
    bool survive;                  /* run, bench: on several devices */
} cli_options;

typedef int cli_run_fn(const cli_options *options);
cli_run_fn cli_devices, cli_inspect, cli_run, cli_verify, cli_bench, cli_quantize, cli_compare, cli_tune;

/* One row per subcommand; cli_commands[] ends with a row of NULLs. */
typedef struct cli_command {
    const char *name;
    unsigned bit; /* which options it takes: the rows of the option table that have this bit */
    const char *usage, *about, *more;
    int operands_min, operands_max; /* -1: any number */
    cli_run_fn *run;
} cli_command;
enum {
    FOR_DEVICES = 1,
    FOR_INSPECT = 2,
    FOR_RUN = 4,
    FOR_VERIFY = 8,
    FOR_BENCH = 16,
    FOR_QUANTIZE = 32,
    FOR_COMPARE = 64,
    FOR_TUNE = 128,
    FOR_ALL = 255
};
extern const cli_command cli_commands[];

/* Parse what follows the subcommand. EXIT_DONE, or EXIT_USAGE with the error told. */
int cli_parse(const cli_command *command, int argc, char **argv, cli_options *options);
void cli_options_free(cli_options *options);
void cli_print_help(const cli_command *command); /* NULL: of the command as a whole */

/* "octet: ..." on standard error, one line whatever the arguments hold. Returns EXIT_FAILED, cli_usage
 * EXIT_USAGE. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
int cli_error(const char *fmt, ...);
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
int cli_usage(const char *fmt, ...);
/* The library's last error. */
int cli_octet_error(void);

/* `text` with every control character replaced by '?' in place of what a terminal would do with it. Names in
 * a model are not trusted. Returns `buffer`; cut to size. */
const char *cli_clean(char *buffer, size_t size, const char *text);

/* A line on standard error that the next one overwrites; silent unless that is a terminal. cli_progress_end
 * erases. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void cli_progress(const cli_options *options, const char *fmt, ...);
void cli_progress_end(const cli_options *options);

/* Whether --device names several devices (crew.h). */
bool cli_names_several(const cli_options *options);
/* A context on `device` (NULL: the best), which tells of its choices where --verbose asks for that. */
octet_status cli_create_context(const cli_options *options, const char *device, octet_context **context);
/* The context that --device asks for, one device. 0, or EXIT_FAILED with the error told. */
int cli_open_context(const cli_options *options, octet_context **context);
double cli_seconds_now(void);
/* Bytes for people: "512 B", "1.5 MiB". Returns `buffer`. */
const char *cli_bytes_text(char *buffer, size_t size, uint64_t bytes);

#endif
