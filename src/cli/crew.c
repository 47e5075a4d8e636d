/* See crew.h. */
#include "crew.h"
#include "fixed_inputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int join(const cli_options *options, crew *c, const char *device)
{
    struct crew_member *members = realloc(c->members, (c->count + 1) * sizeof *members);
    if (!members)
        return cli_error("out of memory");
    c->members = members;
    members[c->count] = (struct crew_member){NULL, NULL, NULL};
    if (cli_create_context(options, device, &members[c->count].context) != OCTET_OK)
        return cli_octet_error();
    c->count++;
    return EXIT_DONE;
}

/* Every device of the best type: a CPU beside a GPU would be what the GPU waits for. */
static int join_all(const cli_options *options, crew *c)
{
    static const octet_device_type best_first[] = {OCTET_DEVICE_GPU, OCTET_DEVICE_ACCELERATOR,
                                                   OCTET_DEVICE_CPU};
    size_t devices = 0;
    int status = EXIT_DONE;
    if (octet_device_count(&devices) != OCTET_OK)
        return cli_octet_error();
    for (size_t t = 0; t < 3 && !c->count; t++) {
        for (size_t i = 0; i < devices && status == EXIT_DONE; i++) {
            octet_device_info info;
            char index[24];
            OCTET_INIT(info);
            if (octet_device_get(i, &info) != OCTET_OK || !info.available || info.type != best_first[t])
                continue;
            snprintf(index, sizeof index, "%zu", i);
            status = join(options, c, index);
        }
    }
    if (status == EXIT_DONE && !c->count) /* says why */
        status = join(options, c, NULL);
    return status;
}

static int join_list(const cli_options *options, crew *c)
{
    char name[256];
    const char *list = options->device;
    int status = EXIT_DONE;
    for (const char *at = list; status == EXIT_DONE; at++) {
        size_t length = strcspn(at, ",");
        if (length == 0 || length >= sizeof name)
            return cli_usage("--device takes an index or name, several with commas, or all, not \"%s\"",
                             list);
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        status = join(options, c, name);
        at += length;
        if (!*at)
            break;
    }
    return status;
}

int crew_open(const cli_options *options, crew *c)
{
    if (!cli_names_several(options))
        return join(options, c, options->device);
    return strcmp(options->device, "all") == 0 ? join_all(options, c) : join_list(options, c);
}

int crew_load(const cli_options *options, crew *c, const char *path)
{
    int status = EXIT_DONE;
    for (size_t i = 0; status == EXIT_DONE && i < c->count; i++)
        status = fixed_load(options, c->members[i].context, path, &c->members[i].model);
    return status;
}

static bool has_open_batch(const octet_model *model)
{
    for (size_t i = 0; i < octet_model_input_count(model); i++) {
        octet_value_info info;
        OCTET_INIT(info);
        if (octet_model_input(model, i, &info) == OCTET_OK && info.rank > 0 && info.dims[0] < 0)
            return true;
    }
    return false;
}

int crew_make_sessions(const cli_options *options, crew *c, const tensor_list *inputs)
{
    if (c->count > 1 && !has_open_batch(c->members[0].model))
        return cli_error(
            "--device %s: the model fixes the first dimension of its inputs, so there is no batch "
            "to divide among %zu devices; name one",
            options->device, c->count);
    for (size_t i = 0; i < c->count; i++) {
        struct crew_member *m = &c->members[i];
        int status = session_create_for(options, m->model, inputs, c->count == 1, &m->session);
        if (status != EXIT_DONE)
            return status;
    }
    return EXIT_DONE;
}

int crew_run(const crew *c, const tensor_list *inputs, tensor_list *outputs)
{
    octet_session **sessions = malloc(c->count * sizeof *sessions);
    if (!sessions)
        return cli_error("out of memory");
    for (size_t i = 0; i < c->count; i++)
        sessions[i] = c->members[i].session;
    octet_status status = octet_sessions_run(sessions, c->count, NULL, inputs->items, inputs->count,
                                             outputs->items, outputs->count);
    free(sessions);
    return status == OCTET_OK ? EXIT_DONE : cli_octet_error();
}

int crew_counters(const crew *c, octet_counters *sum)
{
    OCTET_INIT(*sum);
    for (size_t i = 0; i < c->count; i++) {
        octet_counters one;
        OCTET_INIT(one);
        if (octet_context_counters(c->members[i].context, &one) != OCTET_OK)
            return cli_octet_error();
        sum->weight_bytes_up += one.weight_bytes_up;
        sum->input_bytes_up += one.input_bytes_up;
        sum->output_bytes_down += one.output_bytes_down;
        sum->transfers += one.transfers;
        sum->launches += one.launches;
        sum->waits += one.waits;
        sum->programs_built += one.programs_built;
        sum->programs_cached += one.programs_cached;
        sum->device_bytes += one.device_bytes;
        sum->peak_device_bytes += one.peak_device_bytes;
        sum->load_nanoseconds += one.load_nanoseconds;
    }
    return EXIT_DONE;
}

void crew_reset_counters(const crew *c)
{
    for (size_t i = 0; i < c->count; i++)
        octet_context_counters_reset(c->members[i].context);
}

int crew_info(const crew *c, octet_session_info *sum)
{
    OCTET_INIT(*sum);
    for (size_t i = 0; i < c->count; i++) {
        octet_session_info one;
        OCTET_INIT(one);
        if (octet_session_get_info(c->members[i].session, &one) != OCTET_OK)
            return cli_octet_error();
        sum->arena_bytes += one.arena_bytes;
        sum->weight_bytes += one.weight_bytes;
        sum->launches += one.launches;
        sum->macs += one.macs;
        sum->streamed_bytes += one.streamed_bytes;
        sum->device_bytes += one.device_bytes;
    }
    return EXIT_DONE;
}

void crew_close(crew *c)
{
    for (size_t i = 0; i < c->count; i++) {
        octet_session_destroy(c->members[i].session);
        octet_model_destroy(c->members[i].model);
        octet_context_destroy(c->members[i].context);
    }
    free(c->members);
    memset(c, 0, sizeof *c);
}
