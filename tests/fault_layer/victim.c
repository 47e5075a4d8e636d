/* Every scenario under every fault: each OpenCL call by its number, each call of the C library by its place
 * in Octet, once and from then on, with each error. After each: an error in one line or the right result, and
 * nothing held that was not held before; then a sound run.
 *
 *   fault_victim FOLDER [--sample N] [--codes N] [--scenario NAME] [--kind NAME] [--recheck N]
 *
 * --sample: so many faults of each scenario and kind, spread evenly; all by default. --codes: so many errors
 * for each OpenCL call, the next call gets the next ones; all by default. --recheck: a sound run after so
 * many. FOLDER/at tells which fault is on, for whoever finds this program dead. Exit 0: all is well; anything
 * else is a defect of Octet.
 */
#define _GNU_SOURCE
#include "fault_layer.h"
#include "libc_faults.h"
#include "scenarios.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 600 /* seconds for one run */, MOST_POINTS = 16384 };

static const char *const kind_names[] = {"calls", "events", "binaries", "memory", "files"};
enum { KINDS = sizeof kind_names / sizeof kind_names[0] };

/* What drivers give, of those that a call may end with for reasons of theirs; -9999 is NVIDIA's for a fault
 * in a kernel. */
static const int codes[] = {-1,  -2,  -3,  -4,  -5,  -6,  -9,  -10, -11, -12, -14, -15, -17, -30,   -33,
                            -34, -36, -38, -42, -43, -45, -46, -48, -52, -54, -55, -59, -61, -1001, -9999};
enum { CODES = sizeof codes / sizeof codes[0] };

/* Where a fault can be: the n-th OpenCL call, or the n-th at a site. */
typedef struct point {
    long at;
    const libc_site *site; /* NULL: OpenCL */
    int ways;
} point;

typedef struct totals {
    long faults, errors, survived, missed;
} totals;

static struct {
    void (*order)(const fault_order *);
    void (*look)(fault_seen *);
} layer;
static const char *folder;
static long sample, recheck = 1, code_count = CODES;
static point points[MOST_POINTS];
static size_t point_count;
static libc_site sites[MOST_POINTS];
static totals all[KINDS];

/* The fault that is on. */
static struct {
    const scenario *scenario;
    int kind, sticky, way;
    point point;
    bool on;
} fault;
static char described[512];

static int code_now(void)
{
    return codes[(fault.point.at * code_count + fault.way) % CODES];
}

static void describe(void)
{
    static int at = -1;
    if (at < 0) {
        char path[256];
        snprintf(path, sizeof path, "%s/at", folder);
        at = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    }
    int n = snprintf(described, sizeof described, "%s: ", fault.scenario->name);
    if (!fault.on)
        snprintf(described + n, sizeof described - (size_t)n, "no fault");
    else if (fault.point.site)
        snprintf(described + n, sizeof described - (size_t)n,
                 "%s at 0x%lx (addr2line -e), call %ld, way %d%s", fault.point.site->name,
                 (unsigned long)fault.point.site->address, fault.point.at, fault.way,
                 fault.sticky ? ", and from then on" : "");
    else
        snprintf(described + n, sizeof described - (size_t)n, "%s %ld fails with %d%s",
                 kind_names[fault.kind], fault.point.at, code_now(),
                 fault.sticky ? ", and from then on" : "");
    size_t bytes = strlen(described);
    if (ftruncate(at, 0) != 0 || pwrite(at, described, bytes, 0) != (ssize_t)bytes)
        abort();
}

static void defect(const char *what, const outcome *o)
{
    fault_seen seen;
    layer.look(&seen);
    printf("DEFECT: %s\n%s\n%s%s%s\n", described, what, seen.fired ? "first to fail: " : "",
           seen.fired ? seen.name : "", o ? o->text : "");
    fflush(stdout);
    _exit(3);
}

/* ---- one run ------------------------------------------------------------------------------------------- */

static void begin(void)
{
    alarm(PATIENCE);
    fault_order none = {0};
    if (fault.on && fault.point.site)
        libc_order(fault.point.site, fault.point.at, fault.sticky, fault.way);
    else if (fault.on)
        none = (fault_order){(fault_kind)fault.kind, fault.point.at, code_now(), fault.sticky};
    layer.order(&none);
}

static void begin_recorded(void)
{
    begin();
    libc_record();
}

static void end(void)
{
    libc_stop();
    fault_seen seen;
    layer.look(&seen);
    alarm(0);
}

static long open_files(void)
{
    long n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

typedef struct held {
    long objects, blocks, files;
} held;

static held what_is_held(void)
{
    fault_seen seen;
    layer.look(&seen);
    return (held){seen.live, libc_held(), open_files()};
}

static void compare_held(const held *before)
{
    held now = what_is_held();
    char text[200];
    snprintf(text, sizeof text, "left behind: %ld OpenCL objects, %ld blocks of memory, %ld files",
             now.objects - before->objects, now.blocks - before->blocks, now.files - before->files);
    if (memcmp(&now, before, sizeof now) != 0)
        defect(text, NULL);
}

/* A run without a fault, which must be as the first one was. */
static void run_sound(uint64_t hash, const held *before)
{
    outcome o;
    fault.on = false;
    describe();
    scenario_run(fault.scenario, begin, end, &o);
    if (o.failed)
        defect("a sound run fails", &o);
    if (o.hash != hash)
        defect("a sound run has another result", &o);
    compare_held(before);
}

static void run_one(uint64_t hash, const held *before, totals *sum)
{
    outcome o;
    fault.on = true;
    describe();
    scenario_run(fault.scenario, begin, end, &o);
    fault_seen seen;
    layer.look(&seen);
    long fired = fault.point.site ? libc_fired() : seen.fired;
    if (o.failed == 2 || (o.failed && (!*o.text || (strchr(o.text, '\n') && strchr(o.text, '\n')[1]))))
        defect("not an error in one line", &o);
    if (!o.failed && o.hash != hash)
        defect("done, with another result", &o);
    if (o.failed && !fired)
        defect("fails without a fault", &o);
    if (o.failed && fault.kind == FAULT_BINARY)
        defect("a rejected binary is compiled anew, not an error", &o);
    compare_held(before);
    sum->faults += fired > 0;
    sum->missed += fired == 0;
    sum->errors += o.failed;
    sum->survived += fired && !o.failed;
}

/* ---- all faults of a scenario -------------------------------------------------------------------------- */

static void add_point(long at, const libc_site *site, int ways)
{
    if (point_count == MOST_POINTS)
        abort();
    points[point_count++] = (point){at, site, ways};
}

static void list_points(int kind, const long calls[FAULT_KINDS], size_t count)
{
    point_count = 0;
    for (long n = 1; kind < FAULT_KINDS && n <= calls[kind]; n++)
        add_point(n, NULL, (int)code_count);
    for (size_t i = 0; kind >= FAULT_KINDS && i < count; i++) {
        const libc_site *s = &sites[i];
        if ((int)s->kind + FAULT_KINDS != kind)
            continue;
        for (long hit = 1; hit <= s->hits && hit <= 2; hit++)
            add_point(hit, s, libc_ways(s));
        if (s->hits > 2)
            add_point(s->hits, s, libc_ways(s));
    }
}

/* A step with no factor that the numbers of errors and modes have, so that all of them are met. */
static long step_for(long faults)
{
    long step = sample && faults > sample ? (faults + sample - 1) / sample : 1;
    while (step > 1 && (step % 2 == 0 || step % 3 == 0 || step % 5 == 0))
        step++;
    return step;
}

static void run_kind(int kind, uint64_t hash, const held *before)
{
    long faults = 0, n = 0, done = 0;
    totals sum = {0};
    for (size_t i = 0; i < point_count; i++)
        faults += 2L * points[i].ways;
    const long step = step_for(faults);
    for (size_t i = 0; i < point_count; i++) {
        for (int way = 0; way < 2 * points[i].ways; way++, n++) {
            if (n % step != 0)
                continue;
            fault.kind = kind;
            fault.point = points[i];
            fault.way = way / 2;
            fault.sticky = way % 2;
            run_one(hash, before, &sum);
            if (++done % recheck == 0)
                run_sound(hash, before);
        }
    }
    run_sound(hash, before);
    printf("  %-8s %5zu points, %6ld faults: %6ld errors, %6ld survived, %ld not met\n", kind_names[kind],
           point_count, sum.faults, sum.errors, sum.survived, sum.missed);
    fflush(stdout);
    all[kind].faults += sum.faults;
    all[kind].errors += sum.errors;
    all[kind].survived += sum.survived;
    all[kind].missed += sum.missed;
}

static void run_all(const scenario *s, const char *only_kind)
{
    outcome first;
    struct timespec t[2];
    fault.scenario = s;
    fault.on = false;
    describe();
    scenario_run(s, begin, end, &first); /* whatever is made once, by the driver too */
    if (first.failed)
        defect("the first run fails", &first);
    held before = what_is_held();
    run_sound(first.hash, &before);
    clock_gettime(CLOCK_MONOTONIC, &t[0]);
    scenario_run(s, begin_recorded, end, &first);
    clock_gettime(CLOCK_MONOTONIC, &t[1]);
    fault_seen seen;
    size_t count;
    layer.look(&seen);
    const libc_site *noted = libc_sites(&count);
    memcpy(sites, noted, count * sizeof *sites);
    printf("%s (%.0f ms)\n", s->name,
           1e3 * (double)(t[1].tv_sec - t[0].tv_sec) + 1e-6 * (double)(t[1].tv_nsec - t[0].tv_nsec));
    fflush(stdout); /* the command clears what is left in it */
    for (int kind = 0; kind < KINDS; kind++) {
        if (only_kind && strcmp(only_kind, kind_names[kind]) != 0)
            continue;
        list_points(kind, seen.calls, count);
        if (point_count)
            run_kind(kind, first.hash, &before);
    }
}

static void open_layer(void)
{
    setenv("OPENCL_LAYERS", OCTET_FAULT_LAYER, 1);
    void *module = dlopen(OCTET_FAULT_LAYER, RTLD_NOW);
    if (!module) {
        printf("%s\n", dlerror());
        exit(2);
    }
    *(void **)&layer.order = dlsym(module, "fault_layer_order");
    *(void **)&layer.look = dlsym(module, "fault_layer_look");
    if (!layer.order || !layer.look)
        exit(2);
}

static const char *value_of(int argc, char **argv, const char *name)
{
    for (int i = 2; i + 1 < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    }
    return NULL;
}

static long number_of(int argc, char **argv, const char *name, long otherwise)
{
    const char *text = value_of(argc, argv, name);
    return text ? strtol(text, NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    folder = argv[1];
    const char *only = value_of(argc, argv, "--scenario"), *kind = value_of(argc, argv, "--kind");
    sample = number_of(argc, argv, "--sample", 0);
    recheck = number_of(argc, argv, "--recheck", 1);
    code_count = number_of(argc, argv, "--codes", CODES);
    open_layer();
    scenarios_prepare(folder);
    for (size_t i = 0; i < scenario_count; i++) {
        if (!only || strcmp(only, scenarios[i].name) == 0)
            run_all(&scenarios[i], kind);
    }
    printf("injected:");
    for (int i = 0; i < KINDS; i++)
        printf(" %s %ld (%ld survived)%s", kind_names[i], all[i].faults, all[i].survived,
               i + 1 < KINDS ? "," : "\n");
    return 0;
}
