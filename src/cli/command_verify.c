/* octet verify: ONNX backend tests. A test is a folder with model.onnx and
 * test_data_set_N/{input,output}_I.pb; this file finds them beneath the folders it is given and judges each.
 * compare.c says what equal means.
 */
#include "cli.h"
#include "command_compare.h"
#include "json.h"
#include "tensors.h"
#include "used_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_CHARS = 4096, NAME_CHARS = 512, WHY_CHARS = 1024, DEPTH_MAX = 16, FILES_MAX = 4096 };

typedef enum verdict { PASS, FAIL, UNSUPPORTED, VERDICTS } verdict;
static const char *const verdict_names[] = {"pass", "fail", "unsupported"};

typedef struct verifier {
    const cli_options *options;
    octet_context *context;
    FILE *json;
    size_t counts[VERDICTS];
} verifier;

/* One test while it is judged. */
typedef struct trial {
    const char *dir;
    octet_model *model;
    octet_session *session;
    bool is_output; /* one of its files is what --json is to write */
    char why[WHY_CHARS];
} trial;

static bool exists(const char *dir, const char *name, char path[PATH_CHARS])
{
    struct stat about;
    return (size_t)snprintf(path, PATH_CHARS, "%s/%s", dir, name) < PATH_CHARS && stat(path, &about) == 0;
}

static verdict judge(trial *t, verdict v, const char *what)
{
    snprintf(t->why, sizeof t->why, "%s", what);
    return v;
}

/* What a failed call means: refused by design, or wrong. The folder, which the line names already, is left
 * out. */
static verdict judge_status(trial *t, octet_status status)
{
    const char *text = octet_last_error();
    size_t length = strlen(t->dir);
    if (strncmp(text, t->dir, length) == 0 && text[length] == '/')
        text += length + 1;
    return judge(t, status == OCTET_UNSUPPORTED ? UNSUPPORTED : FAIL, text);
}

static verdict read_pb(trial *t, const char *path, octet_tensor *tensor, char *name)
{
    t->is_output = t->is_output || input_note(path) != EXIT_DONE;
    if (t->is_output)
        return judge(t, FAIL, "it would be written");
    octet_status status = octet_tensor_read_pb(path, tensor, name, NAME_CHARS);
    return status == OCTET_OK ? PASS : judge_status(t, status);
}

/* Where input file `index` belongs: the input of its name, else the input of its number, else the next free
 * one. */
static size_t find_input(const trial *t, const tensor_list *inputs, const char *name, size_t index)
{
    for (size_t i = 0; i < inputs->count; i++) {
        octet_value_info info;
        OCTET_INIT(info);
        if (octet_model_input(t->model, i, &info) == OCTET_OK && name[0] && strcmp(info.name, name) == 0)
            return i;
    }
    if (index < inputs->count && inputs->items[index].dtype == OCTET_DTYPE_NONE)
        return index;
    for (size_t i = 0; i < inputs->count; i++) {
        if (inputs->items[i].dtype == OCTET_DTYPE_NONE)
            return i;
    }
    return inputs->count;
}

static verdict read_inputs(trial *t, const char *set, tensor_list *inputs)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        char file[64], path[PATH_CHARS], name[NAME_CHARS] = "", text[WHY_CHARS];
        octet_tensor tensor = {0};
        snprintf(file, sizeof file, "input_%zu.pb", i);
        if (!exists(set, file, path))
            break;
        verdict v = read_pb(t, path, &tensor, name);
        if (v != PASS)
            return v;
        size_t at = find_input(t, inputs, name, i);
        if (at == inputs->count || inputs->items[at].dtype != OCTET_DTYPE_NONE) {
            octet_tensor_free(&tensor);
            snprintf(text, sizeof text, "%s (\"%s\") fits no input of the model", file, name);
            return judge(t, FAIL, text);
        }
        inputs->items[at] = tensor;
    }
    for (size_t i = 0; i < inputs->count; i++) {
        if (inputs->items[i].dtype == OCTET_DTYPE_NONE)
            return judge(t, FAIL, "the test has no data for one of the model's inputs");
    }
    return PASS;
}

/* Output file `index` against the output of its name, else of its number. */
static verdict check_output(trial *t, const char *path, size_t index, const tensor_list *outputs)
{
    char name[NAME_CHARS] = "", what[WHY_CHARS - 64], text[WHY_CHARS];
    octet_tensor expected = {0};
    size_t at = index;
    verdict v = read_pb(t, path, &expected, name);
    if (v != PASS)
        return v;
    for (size_t i = 0; i < outputs->count; i++) {
        octet_value_info info;
        OCTET_INIT(info);
        if (octet_model_output(t->model, i, &info) == OCTET_OK && name[0] && strcmp(info.name, name) == 0)
            at = i;
    }
    if (at >= outputs->count) {
        v = judge(t, FAIL, "the test expects more outputs than the model has");
    } else if (!tensors_match(&expected, &outputs->items[at], what, sizeof what)) {
        snprintf(text, sizeof text, "output %zu: %s", at, what);
        v = judge(t, FAIL, text);
    }
    octet_tensor_free(&expected);
    return v;
}

static verdict check_outputs(trial *t, const char *set, const tensor_list *outputs)
{
    size_t i = 0;
    for (; i < FILES_MAX; i++) {
        char file[64], path[PATH_CHARS];
        snprintf(file, sizeof file, "output_%zu.pb", i);
        if (!exists(set, file, path))
            break;
        verdict v = check_output(t, path, i, outputs);
        if (v != PASS)
            return v;
    }
    return i ? PASS : judge(t, FAIL, "the test has no output_0.pb to compare with");
}

static verdict try_data_set(trial *t, const char *set)
{
    tensor_list inputs = {0}, outputs = {0};
    verdict v = FAIL;
    if (tensor_list_make(&inputs, octet_model_input_count(t->model)) != EXIT_DONE ||
        tensor_list_make(&outputs, octet_model_output_count(t->model)) != EXIT_DONE)
        v = judge(t, FAIL, "out of memory");
    else
        v = read_inputs(t, set, &inputs);
    if (v == PASS) {
        octet_status status =
            octet_session_run(t->session, inputs.items, inputs.count, outputs.items, outputs.count);
        v = status == OCTET_OK ? check_outputs(t, set, &outputs) : judge_status(t, status);
    }
    tensor_list_free(&inputs);
    tensor_list_free(&outputs);
    return v;
}

static verdict try_test(verifier *all, trial *t)
{
    char path[PATH_CHARS], name[64];
    if (!exists(t->dir, "model.onnx", path))
        return judge(t, FAIL, "the path is too long");
    t->is_output = input_note(path) != EXIT_DONE;
    if (t->is_output)
        return judge(t, FAIL, "it would be written");
    octet_status status = octet_model_load(all->context, path, NULL, &t->model);
    if (status == OCTET_OK)
        status = octet_session_create(t->model, NULL, &t->session);
    if (status != OCTET_OK)
        return judge_status(t, status);
    size_t sets = 0;
    for (; sets < FILES_MAX; sets++) {
        snprintf(name, sizeof name, "test_data_set_%zu", sets);
        if (!exists(t->dir, name, path))
            break;
        verdict v = try_data_set(t, path);
        if (v != PASS)
            return v;
    }
    return sets ? PASS : judge(t, FAIL, "no test_data_set_0 beside the model");
}

static void write_verdict(const verifier *all, verdict v, const char *name, const char *why)
{
    bool first = all->counts[PASS] + all->counts[FAIL] + all->counts[UNSUPPORTED] == 0;
    fprintf(all->json, "%s{\"name\": ", first ? "\n" : ",\n");
    json_string(all->json, name);
    fprintf(all->json, ", \"verdict\": \"%s\", \"reason\": ", verdict_names[v]);
    json_string(all->json, why);
    fprintf(all->json, "}");
}

static int verify_one(verifier *all, const char *dir, const char *name)
{
    trial t = {.dir = dir};
    char clean_name[NAME_CHARS], clean_why[WHY_CHARS];
    cli_progress(all->options, "%s", name);
    verdict v = try_test(all, &t);
    octet_session_destroy(t.session);
    octet_model_destroy(t.model);
    cli_progress_end(all->options);
    if (t.is_output)
        return EXIT_FAILED;
    for (char *c = t.why; *c; c++)
        *c = *c == '\n' ? ' ' : *c;
    if (!all->options->quiet)
        printf("%s %s%s%s\n", verdict_names[v], cli_clean(clean_name, sizeof clean_name, name),
               v == PASS ? "" : ": ", cli_clean(clean_why, sizeof clean_why, t.why));
    if (all->json)
        write_verdict(all, v, name, t.why);
    all->counts[v]++;
    return EXIT_DONE;
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Every test at or beneath `dir`, in order of name; *found counts them. */
static int verify_beneath(verifier *all, const char *dir, const char *name, int depth, size_t *found)
{
    char path[PATH_CHARS], below[PATH_CHARS];
    struct stat about;
    if (exists(dir, "model.onnx", path)) {
        ++*found;
        return verify_one(all, dir, name);
    }
    struct dirent **entries = NULL;
    int count = scandir(dir, &entries, not_hidden, alphasort);
    if (count < 0)
        return cli_error("%s: %s", dir, strerror(errno));
    int status = EXIT_DONE;
    for (int i = 0; i < count; i++) {
        bool is_folder =
            exists(dir, entries[i]->d_name, path) && stat(path, &about) == 0 && S_ISDIR(about.st_mode);
        snprintf(below, sizeof below, "%s%s%s", depth ? name : "", depth ? "/" : "", entries[i]->d_name);
        if (is_folder && depth < DEPTH_MAX && status == EXIT_DONE)
            status = verify_beneath(all, path, below, depth + 1, found);
        free(entries[i]);
    }
    free(entries);
    return status;
}

/* The last part of a path, which a test named by itself is called. */
static const char *last_part(const char *path, char *buffer, size_t size)
{
    snprintf(buffer, size, "%s", path);
    for (size_t length = strlen(buffer); length > 1 && buffer[length - 1] == '/'; length--)
        buffer[length - 1] = '\0';
    const char *slash = strrchr(buffer, '/');
    return slash && slash[1] ? slash + 1 : buffer;
}

static void print_totals(const verifier *all)
{
    printf("%zu passed, %zu failed, %zu unsupported\n", all->counts[PASS], all->counts[FAIL],
           all->counts[UNSUPPORTED]);
    if (all->json)
        fprintf(all->json, "\n], \"passed\": %zu, \"failed\": %zu, \"unsupported\": %zu}\n",
                all->counts[PASS], all->counts[FAIL], all->counts[UNSUPPORTED]);
}

int cli_verify(const cli_options *options)
{
    verifier all = {.options = options};
    int status = cli_open_context(options, &all.context);
    if (status == EXIT_DONE)
        status = json_open(options, &all.json);
    if (all.json)
        fprintf(all.json, "{\"tests\": [");
    for (size_t i = 0; i < options->operands.count && status == EXIT_DONE; i++) {
        const char *dir = options->operands.items[i];
        char name[PATH_CHARS];
        size_t found = 0;
        status = verify_beneath(&all, dir, last_part(dir, name, sizeof name), 0, &found);
        if (status == EXIT_DONE && !found)
            status = cli_error("%s: no model.onnx here or beneath; give a folder of ONNX backend tests", dir);
    }
    if (status == EXIT_DONE)
        print_totals(&all);
    status = json_close(options, all.json, status);
    octet_context_destroy(all.context);
    return status == EXIT_DONE && all.counts[FAIL] ? EXIT_FAILED : status;
}
