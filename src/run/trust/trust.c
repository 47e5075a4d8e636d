#include "trust.h"
#include "executor.h"
#include "pointwise.h"
#include "sizes.h"
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFERENCE_MACS ((int64_t)1 << 24) /* of one case: some 50 ms of scalar code */

void oct_program_name_of(const oct_launch *l, char name[OCT_PROGRAM_CHARS])
{
    snprintf(name, OCT_PROGRAM_CHARS, "%s %s", l->product ? "" : l->file, l->product ? "" : l->options);
}

static bool is_file_of(const oct_family *f, const oct_caps *caps, const char *file)
{
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->rows[i].file, file) == 0 && oct_variant_needs_proof(&f->rows[i], caps))
            return true;
    }
    return false;
}

static bool needs_proof(const oct_caps *caps, const oct_launch *l)
{
    if (l->product)
        return false;
    return is_file_of(&oct_gemm_family, caps, l->file) || is_file_of(&oct_conv_family, caps, l->file) ||
           strcmp(l->file, OCT_TABLE_X86_FILE) == 0;
}

/* Does the recipe use this program? */
static bool uses(const oct_recipe *r, const char *program)
{
    char name[OCT_PROGRAM_CHARS];
    for (int i = 0; i < r->launch_count; i++) {
        oct_program_name_of(r->launches[i], name);
        if (!r->launches[i]->product && strcmp(name, program) == 0)
            return true;
    }
    return false;
}

/* ---- one case ------------------------------------------------------------------------------------------ */

/* A small network with one program to be tried, and what has to come out. */
typedef struct trial {
    oct_device *device;
    const char *variant;
    char program[OCT_PROGRAM_CHARS];
    oct_recipe recipe;
    oct_host_memory memories[3]; /* its inputs, then its output */
    size_t memory_count;
    unsigned char *result;
    size_t bytes;
} trial;

static octet_status judge(const trial *t, oct_verdict verdict, const char *why)
{
    oct_device_log(t->device, "%s: %s, %s", t->variant, why, t->program);
    return oct_device_judge(t->device, t->program, verdict, t->variant);
}

static octet_status run(trial *t)
{
    oct_executor *executor = NULL;
    octet_status status = oct_executor_create(t->device, &t->recipe, NULL, &executor);
    if (status == OCTET_OK)
        status = oct_runner_run(executor, t->memories, t->memory_count);
    oct_executor_destroy(executor);
    return status;
}

/* Run it. *done: there is a result to look at; if not, that is the verdict. */
static octet_status try_out(trial *t, bool *done)
{
    *done = false;
    t->result = malloc(t->bytes);
    if (!t->result)
        return oct_out_of_memory("the trial of a kernel");
    memset(t->result, 0xA5, t->bytes);
    t->memories[t->memory_count - 1].to = t->result;
    octet_status status = run(t);
    if (status == OCTET_OK) {
        *done = true;
        return OCTET_OK;
    }
    if (status != OCTET_DEVICE_ERROR && status != OCTET_OUT_OF_MEMORY)
        return status;
    char why[300];
    snprintf(why, sizeof why, "%s: %s", status == OCTET_DEVICE_ERROR ? "cannot be used" : "cannot be tried",
             oct_error_text());
    oct_error_clear();
    return judge(t, status == OCTET_DEVICE_ERROR ? OCT_BROKEN : OCT_UNPROVEN, why);
}

/* Name the program by the launch that is in this file; false: there is none, or it is known. */
static bool name_program(trial *t, const char *file)
{
    const char *whose;
    for (int i = 0; i < t->recipe.launch_count; i++) {
        const oct_launch *l = t->recipe.launches[i];
        if (!l->product && strcmp(l->file, file) == 0) {
            oct_program_name_of(l, t->program);
            return oct_device_verdict(t->device, t->program, &whose) == OCT_UNTRIED;
        }
    }
    return false;
}

/* ---- products ------------------------------------------------------------------------------------------ */

/* All rows of a result; of a large one the first, the last and some between. */
static octet_status compare(const trial *t, const oct_subject *s, bool *exact)
{
    const int64_t wanted = REFERENCE_MACS / (s->row_macs + 1) + 2,
                  count = wanted < s->rows ? wanted : s->rows;
    unsigned char *row = malloc(s->row_bytes + 1);
    if (!row)
        return oct_out_of_memory("the trial of a kernel");
    *exact = true;
    for (int64_t i = 0; i < count && *exact; i++) {
        const int64_t at = count > 1 ? i * (s->rows - 1) / (count - 1) : 0;
        oct_subject_reference(s, at, row);
        *exact = memcmp(row, t->result + (size_t)at * s->row_bytes, s->row_bytes) == 0;
    }
    free(row);
    return OCTET_OK;
}

static octet_status try_subject(trial *t, const oct_subject *s, oct_subject_mems *mems)
{
    bool done, exact = false;
    size_t inputs;
    t->bytes = (size_t)s->rows * s->row_bytes;
    oct_subject_inputs(s, mems, t->memories, &inputs);
    t->memories[inputs] = (oct_host_memory){.mem = mems->c};
    t->memory_count = inputs + 1;
    FORWARD(try_out(t, &done));
    if (!done)
        return OCTET_OK;
    FORWARD(compare(t, s, &exact));
    return judge(t, exact ? OCT_EXACT : OCT_INEXACT, exact ? "exact" : "NOT EXACT");
}

/* Try the program of this variant with a product that is made like the noted one. *is_same: it is the program
 * that the recipe uses. */
static octet_status try_product(oct_device *device, const oct_recipe *recipe, const oct_noted *noted,
                                const oct_variant *v, bool small, bool *is_same)
{
    const oct_subject_options options = {.seed = 1, .small_of = small ? v : NULL, .chained = true};
    const oct_caps *caps = oct_device_caps(device);
    trial t = {.device = device, .variant = v->name};
    oct_subject s;
    oct_subject_mems mems;
    oct_recipe_init(&t.recipe);
    t.recipe.piece_bytes = oct_buffer_largest(device, OCT_MEM_ALIGN);
    octet_status status = oct_subject_make(&s, recipe, noted, &options);
    if (status == OCTET_OK)
        status = oct_subject_recipe(&s, caps, v->name, 0, &t.recipe, &mems);
    bool unknown = status == OCTET_OK && name_program(&t, v->file);
    *is_same = status == OCTET_OK && uses(recipe, t.program);
    if (unknown && *is_same)
        status = try_subject(&t, &s, &mems);
    free(t.result);
    oct_recipe_free(&t.recipe);
    oct_subject_free(&s);
    return status;
}

static octet_status try_noted(oct_device *device, const oct_recipe *recipe, const oct_noted *noted)
{
    const oct_caps *caps = oct_device_caps(device);
    const oct_variant *v = oct_variant_select(noted->family, caps, noted->request, NULL);
    bool is_same = true;
    if (!v || !oct_variant_needs_proof(v, caps) || noted->family->macs(noted->request) == 0)
        return OCTET_OK;
    FORWARD(try_product(device, recipe, noted, v, true, &is_same));
    return is_same ? OCTET_OK : try_product(device, recipe, noted, v, false, &is_same);
}

/* ---- tables -------------------------------------------------------------------------------------------- */

enum { TABLE_BYTES = 1000 };

static octet_status try_table(oct_device *device)
{
    const oct_caps *caps = oct_device_caps(device);
    uint8_t values[256], x[TABLE_BYTES], wrong = 0;
    trial t = {.device = device, .variant = OCT_TABLE_X86, .memory_count = 2, .bytes = TABLE_BYTES};
    for (int i = 0; i < 256; i++)
        values[i] = (uint8_t)(i * 77 + 13);
    for (int i = 0; i < TABLE_BYTES; i++)
        x[i] = (uint8_t)(i * 151);
    oct_recipe_init(&t.recipe);
    oct_operand in = {.dtype = OCTET_U8, .rank = 1, .dims = {TABLE_BYTES}}, out = in;
    in.mem = oct_recipe_input(&t.recipe, TABLE_BYTES);
    out.mem = oct_recipe_output(&t.recipe, TABLE_BYTES);
    t.memories[0] = (oct_host_memory){.mem = in.mem, .from = x};
    t.memories[1] = (oct_host_memory){.mem = out.mem};
    octet_status status = oct_table_op(&t.recipe, caps, &in, &out, values);
    bool done = false;
    if (status == OCTET_OK && name_program(&t, OCT_TABLE_X86_FILE))
        status = try_out(&t, &done);
    for (int i = 0; done && i < TABLE_BYTES; i++)
        wrong |= t.result[i] != values[x[i]];
    if (done)
        status = judge(&t, wrong ? OCT_INEXACT : OCT_EXACT, wrong ? "NOT EXACT" : "exact");
    free(t.result);
    oct_recipe_free(&t.recipe);
    return status;
}

/* ---- a recipe ------------------------------------------------------------------------------------------ */

static octet_status try_all(oct_device *device, const oct_recipe *recipe)
{
    octet_status status = OCTET_OK;
    bool table = false;
    oct_device_pause_counters();
    for (int i = 0; status == OCTET_OK && i < recipe->noted_count; i++)
        status = try_noted(device, recipe, &recipe->noted[i]);
    for (int i = 0; i < recipe->launch_count; i++) {
        const oct_launch *l = recipe->launches[i];
        table |= !l->product && strcmp(l->file, OCT_TABLE_X86_FILE) == 0;
    }
    if (status == OCTET_OK && table)
        status = try_table(device);
    oct_device_resume_counters();
    return status;
}

/* What is known of the recipe's programs. *untried: one of them is not known. */
static octet_status look_up(oct_device *device, const oct_recipe *recipe, bool *untried, bool *changed)
{
    const oct_caps *caps = oct_device_caps(device);
    char program[OCT_PROGRAM_CHARS];
    const char *variant;
    *untried = *changed = false;
    for (int i = 0; i < recipe->launch_count; i++) {
        if (!needs_proof(caps, recipe->launches[i]))
            continue;
        oct_program_name_of(recipe->launches[i], program);
        oct_verdict verdict = oct_device_verdict(device, program, &variant);
        *untried |= verdict == OCT_UNTRIED;
        if (verdict == OCT_INEXACT || verdict == OCT_BROKEN) {
            FORWARD(oct_device_distrust(device, variant));
            *changed = true;
        }
    }
    return OCTET_OK;
}

/* Programs that no case led to. */
static octet_status give_up(oct_device *device, const oct_recipe *recipe)
{
    const oct_caps *caps = oct_device_caps(device);
    char program[OCT_PROGRAM_CHARS];
    const char *whose;
    for (int i = 0; i < recipe->launch_count; i++) {
        if (!needs_proof(caps, recipe->launches[i]))
            continue;
        oct_program_name_of(recipe->launches[i], program);
        if (oct_device_verdict(device, program, &whose) != OCT_UNTRIED)
            continue;
        oct_device_log(device, "%s could not be tried alone", program);
        FORWARD(oct_device_judge(device, program, OCT_UNPROVEN, ""));
    }
    return OCTET_OK;
}

octet_status oct_trust(oct_device *device, const oct_recipe *recipe, bool *changed)
{
    bool untried;
    FORWARD(look_up(device, recipe, &untried, changed));
    if (!untried)
        return OCTET_OK;
    FORWARD(try_all(device, recipe));
    FORWARD(give_up(device, recipe));
    return look_up(device, recipe, &untried, changed);
}
