/* A device that is lost, by one call that fails with CL_DEVICE_NOT_AVAILABLE under the fault layer, whichever
 * call that is: it is reported as such and by every call after it, everything can be destroyed, a new context
 * works, and of a batch over several devices the others do the rest where they are asked to. */
#include "check.h"
#include "npy.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIGITS OCTET_SOURCE_DIR "/examples/digits/"

enum { LOST = -2, ROWS = 24, PIXELS = 64, CLASSES = 10, MEMBERS = 3, SIZE = 20 };
/* What a child says: nothing was lost; lost and recovered; an error while the device was being opened; a
 * batch ended by the loss; anything else is wrong. */
enum { SOUND = 0, RECOVERED = 3, NOT_OPENED = 4, ENDED = 5, WRONG = 6 };

static char folder[] = "/tmp/octet-lost-XXXXXX";
static const char *self;

/* ---- children ------------------------------------------------------------------------------------------ */

static octet_status open_context(octet_context **context)
{
    octet_context_desc desc;
    OCTET_INIT(desc);
    return octet_context_create(&desc, context);
}

static octet_status make_product(octet_context *context, octet_gemm **g)
{
    static const unsigned char b[SIZE * SIZE];
    octet_gemm_desc d;
    OCTET_INIT(d);
    d.m = d.n = d.k = SIZE;
    d.a_dtype = OCTET_U8;
    d.b_dtype = OCTET_S8;
    return octet_gemm_create(context, &d, b, g);
}

static octet_status run_product(octet_gemm *g)
{
    static const unsigned char a[SIZE * SIZE];
    static int32_t c[SIZE * SIZE];
    return octet_gemm_run(g, a, NULL, c);
}

/* A product on a device that may be lost on the way, then the same calls again. */
static int lose_one(void)
{
    octet_context *context, *fresh = NULL;
    octet_gemm *g = NULL, *other = NULL;
    char first[1024];
    if (open_context(&context) != OCTET_OK)
        return NOT_OPENED;
    octet_status status = make_product(context, &g);
    if (status == OCTET_OK)
        status = run_product(g);
    int result = SOUND;
    if (status != OCTET_OK) {
        snprintf(first, sizeof first, "%s", octet_last_error());
        result = status == OCTET_DEVICE_LOST && strstr(first, "CL_DEVICE_NOT_AVAILABLE") ? RECOVERED : WRONG;
        if (g && (run_product(g) != OCTET_DEVICE_LOST || !strstr(octet_last_error(), "' is lost: ")))
            result = WRONG;
        if (make_product(context, &other) != OCTET_DEVICE_LOST || !strstr(octet_last_error(), "' is lost: "))
            result = WRONG;
        octet_gemm_destroy(g);
        g = NULL;
        if (open_context(&fresh) != OCTET_OK || make_product(fresh, &g) != OCTET_OK ||
            run_product(g) != OCTET_OK)
            result = WRONG;
    }
    octet_gemm_destroy(g);
    octet_context_destroy(context);
    octet_context_destroy(fresh);
    return result;
}

typedef struct crew {
    octet_context *contexts[MEMBERS];
    octet_model *models[MEMBERS];
    octet_session *sessions[MEMBERS];
} crew;

static octet_status join(crew *c, int i, int survive)
{
    octet_session_desc desc;
    OCTET_INIT(desc);
    desc.lost_to_others = survive;
    octet_status status = open_context(&c->contexts[i]);
    if (status == OCTET_OK)
        status = octet_model_load(c->contexts[i], DIGITS "digits_int8.onnx", NULL, &c->models[i]);
    return status == OCTET_OK ? octet_session_create(c->models[i], &desc, &c->sessions[i]) : status;
}

/* Twice, as what is lost in the first must be left out of the second. */
static int run_batches(const crew *c, const octet_tensor *input, const octet_tensor *expected, int survive)
{
    static float scores[ROWS * CLASSES];
    for (int i = 0; i < 2; i++) {
        memset(scores, GUARD, sizeof scores);
        octet_tensor out = {.data = scores, .data_bytes = sizeof scores};
        octet_status status = octet_sessions_run(c->sessions, MEMBERS, NULL, input, 1, &out, 1);
        if (status == OCTET_DEVICE_LOST && !survive)
            return ENDED;
        if (status != OCTET_OK || memcmp(scores, expected->data, sizeof scores) != 0) {
            print_error("batch %d: %s: %s\n", i, octet_status_name(status), octet_last_error());
            return WRONG;
        }
    }
    return SOUND;
}

static int lose_one_of_several(int survive)
{
    static float pixels[ROWS * PIXELS];
    octet_tensor images, expected, input = {OCTET_F32, 4, {ROWS, 1, 8, 8}, pixels, sizeof pixels};
    crew c = {{NULL}, {NULL}, {NULL}};
    if (npy_read(DIGITS "test_images.npy", &images) || npy_read(DIGITS "expected_scores.npy", &expected))
        return WRONG;
    for (int i = 0; i < ROWS * PIXELS; i++)
        pixels[i] = (float)((const uint8_t *)images.data)[i] / 16;
    int result = SOUND;
    for (int i = 0; result == SOUND && i < MEMBERS; i++)
        result = join(&c, i, survive) == OCTET_OK ? SOUND : NOT_OPENED;
    if (result == SOUND)
        result = run_batches(&c, &input, &expected, survive);
    for (int i = 0; i < MEMBERS; i++) {
        octet_session_destroy(c.sessions[i]);
        octet_model_destroy(c.models[i]);
        octet_context_destroy(c.contexts[i]);
    }
    octet_tensor_free(&images);
    octet_tensor_free(&expected);
    return result;
}

static int be_child(const char *mode)
{
    return strcmp(mode, "one") == 0 ? lose_one() : lose_one_of_several(strcmp(mode, "survive") == 0);
}

/* ---- parent -------------------------------------------------------------------------------------------- */

/* What a child says when this call of its is the one that fails; 0: none. */
static int run_child(const char *mode, long failing, long *calls)
{
    char command[1024], log[64];
    long live = -1;
    snprintf(log, sizeof log, "%s/log", folder);
    snprintf(command, sizeof command,
             "OPENCL_LAYERS='%s' OCTET_FAULT_CALL=%ld OCTET_FAULT_CODE=%d OCTET_FAULT_LOG='%s' '%s' %s",
             OCTET_FAULT_LAYER, failing, LOST, log, self, mode);
    int status = system(command);
    if (!WIFEXITED(status))
        fail_msg("%s, call %ld lost: signal %d", mode, failing, WTERMSIG(status));
    FILE *f = fopen(log, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "calls %ld live %ld", calls, &live), 2);
    fclose(f);
    if (live != 0)
        fail_msg("%s, call %ld lost: %ld objects left", mode, failing, live);
    return WEXITSTATUS(status);
}

/* Every call of a run, or every `step`-th of the last `most`: how many children said what. */
static void lose_each(const char *mode, long most, long step, int said[WRONG + 1])
{
    long calls, ignored;
    assert_int_equal(run_child(mode, 0, &calls), SOUND); /* fills the cache of programs */
    assert_int_equal(run_child(mode, 0, &calls), SOUND);
    memset(said, 0, (WRONG + 1) * sizeof *said);
    for (long n = calls > most ? calls - most : 1; n <= calls; n += step) {
        int result = run_child(mode, n, &ignored);
        if (result >= WRONG)
            fail_msg("%s: call %ld of %ld lost: wrong (%d)", mode, n, calls, result);
        said[result]++;
    }
    print_message("%s: %ld calls: %d survived, %d lost and recovered, %d not opened, %d ended\n", mode, calls,
                  said[SOUND], said[RECOVERED], said[NOT_OPENED], said[ENDED]);
}

static long step_of(long usual)
{
    return getenv("OCTET_TEST_LONG") ? 1 : usual;
}

static void a_lost_device_is_told_once_and_for_all(void **state)
{
    int said[WRONG + 1];
    (void)state;
    lose_each("one", 1000, step_of(1), said);
    assert_true(said[RECOVERED] > said[NOT_OPENED]); /* and many are queries without which it goes on */
    assert_int_equal(said[ENDED], 0);
}

static void others_do_the_rows_of_a_lost_device(void **state)
{
    int said[WRONG + 1];
    (void)state;
    lose_each("survive", 240, step_of(12), said); /* of the batches, not of what is before them */
    assert_true(said[SOUND] > 0);
    assert_int_equal(said[RECOVERED] + said[NOT_OPENED] + said[ENDED], 0);
    lose_each("end", 240, step_of(24), said); /* some of it behind them: what destroys asks of buffers */
    assert_true(said[ENDED] > said[SOUND] && said[SOUND] > 0);
    assert_int_equal(said[RECOVERED] + said[NOT_OPENED], 0);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) && setenv("XDG_CACHE_HOME", folder, 1) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return be_child(argv[1]);
    self = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_device_is_told_once_and_for_all),
        cmocka_unit_test(others_do_the_rows_of_a_lost_device),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
