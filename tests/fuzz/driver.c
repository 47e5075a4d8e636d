/* main of a fuzz target that is a test: it goes through files and changed copies of them.
 *
 *   fuzz_TARGET [OPTION]... FILE...
 *   --changes N   N copies of each file with bytes overwritten, cut out and doubled
 *   --every       every truncation, and every bit flipped
 *   --most BYTES  leave out files that are longer
 *   --files N     at most N files
 *   --random N    N inputs of up to 128 random bytes, without any file
 *   --seconds S   stop after so long, and say how far it got; a test that a machine is too slow for fails by
 * CTest's own limit, not here
 *
 * What targets print goes nowhere; the last line, and what a sanitizer has to say, to where standard error
 * was. */
#include "fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void __sanitizer_set_report_fd(void *fd) __attribute__((weak));
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

enum { DOUBLED_MOST = 64 };

typedef struct work {
    long changes, most, files, random, seconds;
    bool every;
    uint32_t seed;
    time_t end; /* 0: none */
    unsigned long long runs;
} work;

/* The input in hand, for whoever has to look at it after a crash. */
static const uint8_t *current;
static size_t current_size;

static void keep_current(void)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/octet-fuzz-%ld", (long)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd >= 0 && write(fd, current, current_size) == (ssize_t)current_size)
        dprintf(fuzz_report, "the input is kept in %s\n", path);
}

static void on_signal(int number)
{
    keep_current();
    signal(number, SIG_DFL);
    raise(number);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13; /* Marsaglia's xorshift32 */
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static bool over(const work *w)
{
    return w->end && time(NULL) >= w->end;
}

static void run(work *w, const uint8_t *data, size_t size)
{
    /* Of its own size, so that a sanitizer sees who reads past it. */
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        exit(1);
    if (size)
        memcpy(copy, data, size);
    current = copy;
    current_size = size;
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    w->runs++;
}

/* `out` has room for DOUBLED_MOST bytes more than `data`. */
static void run_changed(work *w, const uint8_t *data, size_t size, uint8_t *out)
{
    memcpy(out, data, size);
    size_t n = size;
    for (uint32_t edits = 1 + next_random(&w->seed) % 4; n && edits; edits--) {
        size_t at = next_random(&w->seed) % n, length = 1 + next_random(&w->seed) % (DOUBLED_MOST / 4);
        length = length < n - at ? length : n - at;
        switch (next_random(&w->seed) % 4) {
        case 0:
            out[at] = (uint8_t)next_random(&w->seed);
            break;
        case 1: /* a large varint */
            memset(out + at, 0xff, length);
            break;
        case 2: /* cut out */
            memmove(out + at, out + at + length, n - at - length);
            n -= length;
            break;
        default: /* doubled */
            memmove(out + at + length, out + at, n - at);
            n += length;
        }
    }
    run(w, out, n);
}

static void run_every(work *w, uint8_t *data, size_t size)
{
    for (size_t n = 0; n < size && !over(w); n++)
        run(w, data, n);
    for (size_t bit = 0; bit < 8 * size && !over(w); bit++) {
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        run(w, data, size);
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void run_random(work *w)
{
    uint8_t data[128];
    for (long i = 0; i < w->random && !over(w); i++) {
        size_t size = 1 + next_random(&w->seed) % sizeof data;
        for (size_t at = 0; at < size; at++)
            data[at] = (uint8_t)(next_random(&w->seed) >> 8);
        run(w, data, size);
    }
}

/* 1: it was run; 0: it is too long; -1: it cannot be read. */
static int run_file(work *w, const char *path)
{
    FILE *f = fopen(path, "rb");
    long size = f && fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    bool fits = size >= 0 && (!w->most || size <= w->most);
    uint8_t *data = fits ? malloc((size_t)size + 1) : NULL,
            *out = fits ? malloc((size_t)size + DOUBLED_MOST) : NULL;
    bool read = data && out && fseek(f, 0, SEEK_SET) == 0 && fread(data, 1, (size_t)size, f) == (size_t)size;
    if (read) {
        run(w, data, (size_t)size);
        for (long i = 0; i < w->changes && !over(w); i++)
            run_changed(w, data, (size_t)size, out);
        if (w->every)
            run_every(w, data, (size_t)size);
    }
    free(out);
    free(data);
    if (f)
        fclose(f);
    return read ? 1 : size >= 0 && !fits ? 0 : -1;
}

/* Options that take a number, one of them at argv[*at]. */
static bool take_option(work *w, int argc, char **argv, int *at)
{
    const struct {
        const char *name;
        long *number;
    } options[] = {{"--changes", &w->changes},
                   {"--most", &w->most},
                   {"--files", &w->files},
                   {"--random", &w->random},
                   {"--seconds", &w->seconds}};
    if (strcmp(argv[*at], "--every") == 0)
        return w->every = true;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        char *end;
        if (strcmp(argv[*at], options[i].name) != 0)
            continue;
        *options[i].number = *at + 1 < argc ? strtol(argv[*at + 1], &end, 10) : 0;
        return *options[i].number > 0 && !*end && ++*at;
    }
    return false;
}

/* Standard output and error go nowhere from here; the old error is fuzz_report. */
static void hush(void)
{
    int nowhere = open("/dev/null", O_WRONLY);
    fuzz_report = dup(STDERR_FILENO);
    if (fuzz_report < 0 || nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0 ||
        dup2(nowhere, STDERR_FILENO) < 0)
        exit(1);
    close(nowhere);
    if (__sanitizer_set_report_fd)
        __sanitizer_set_report_fd((void *)(intptr_t)fuzz_report);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(keep_current);
    else
        signal(SIGSEGV, on_signal), signal(SIGABRT, on_signal);
    fuzz_on_failure = keep_current; /* drivers take the signals */
}

int main(int argc, char **argv)
{
    work w = {.seed = 20261123};
    int at = 1, files = 0, unread = 0;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        if (!take_option(&w, argc, argv, &at)) {
            fprintf(stderr, "%s: no such option, or without its number\n", argv[at]);
            return 2;
        }
    }
    hush();
    w.end = w.seconds ? time(NULL) + w.seconds : 0;
    run_random(&w);
    for (; at < argc && (!w.files || files < w.files) && !over(&w); at++) {
        int ran = run_file(&w, argv[at]);
        if (ran < 0)
            dprintf(fuzz_report, "%s cannot be read\n", argv[at]);
        files += ran > 0;
        unread += ran < 0;
    }
    dprintf(fuzz_report, "%d files, %llu runs%s\n", files, w.runs,
            at < argc && over(&w) ? ", time is over" : "");
    return w.runs && !unread ? 0 : 1;
}
