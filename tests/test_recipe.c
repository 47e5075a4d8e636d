/* A recipe's builder: what does not fit sticks as an error that names kernel and argument. No device. */
#include "recipe.h"
#include "record.clh"

#define TWO_NUMBERS_ARGS(ARG)                                                                                \
    ARG(F32, f)                                                                                              \
    ARG(I64, wide)
RECORD_PART(two_numbers, TWO_NUMBERS_ARGS)

#define MIXED_ARGS(ARG)                                                                                      \
    ARG(IN, x)                                                                                               \
    ARG(I32, first)                                                                                          \
    ARG(IN_OPT_4, more)                                                                                      \
    ARG(I64, n)                                                                                              \
    ARG(OUT_OPT, z)                                                                                          \
    ARG(I64_4, sizes)                                                                                        \
    ARG(PART, two_numbers)                                                                                   \
    ARG(OUT, y)                                                                                              \
    ARG(I32, last)
RECORD(mixed, MIXED_ARGS)

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static oct_launch *launch(oct_recipe *r)
{
    return oct_recipe_launch(r, "f.cl", "k", "%s", "");
}

/* The recipe failed as a defect, in words that name the kernel and `what`. */
static void refused(oct_recipe *r, const char *what)
{
    assert_int_equal(r->status, OCTET_INTERNAL);
    if (!strstr(oct_error_text(), "kernel k of f.cl") || !strstr(oct_error_text(), what))
        fail_msg("'%s' does not name %s", oct_error_text(), what);
    oct_recipe_free(r);
}

static void one_memory_too_many(void **state)
{
    (void)state;
    oct_recipe r;
    oct_recipe_init(&r);
    oct_launch *l = launch(&r);
    for (int i = 0; i < OCT_MAX_ARGS; i++)
        oct_launch_in(l, oct_recipe_temp(&r, 4));
    assert_int_equal(r.status, OCTET_OK);
    oct_launch_in(l, 0);
    refused(&r, "more than 24 memories");
}

static void a_third_input_in_place(void **state)
{
    (void)state;
    oct_recipe r;
    oct_recipe_init(&r);
    oct_launch *l = launch(&r);
    for (int i = 0; i < 3; i++)
        oct_launch_in_place(l, oct_recipe_temp(&r, 4));
    refused(&r, "more than 2 inputs");
}

static void build_options_too_long(void **state)
{
    (void)state;
    oct_recipe r;
    oct_recipe_init(&r);
    static char text[2000];
    memset(text, 'x', sizeof text - 1);
    assert_null(oct_recipe_launch(&r, "f.cl", "k", "-D%s", text));
    refused(&r, "build options");
}

/* Memories in the order of the list, numbers as the kernel's struct has them, what is absent none and 0. */
static void a_record_is_packed(void **state)
{
    (void)state;
    oct_recipe r;
    oct_recipe_init(&r);
    oct_launch *l = launch(&r);
    const oct_mem x = oct_recipe_temp(&r, 4), y = oct_recipe_temp(&r, 4), z = oct_recipe_temp(&r, 4);
    OCT_ARGS(l, mixed, .x = oct_from(x, 3), .first = -5, .more = {[2] = oct_whole(z)}, .n = (int64_t)1 << 40,
             .sizes = {1, 2, 3, 4}, .two_numbers = {.f = 2.5f, .wide = -1}, .y = oct_whole(y),
             .last = INT32_MAX);
    assert_int_equal(r.status, OCTET_OK);
    const oct_mem mems[] = {x, OCT_MEM_NONE, OCT_MEM_NONE, z, OCT_MEM_NONE, OCT_MEM_NONE, y};
    assert_int_equal(l->arg_count, 7);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(l->args[i].mem, mems[i]);
        assert_int_equal(l->args[i].kind, i < 5 ? OCT_ARG_IN : OCT_ARG_OUT);
        assert_int_equal(l->args[i].offset, i ? 0 : 3);
    }
    const mixed_numbers *n = l->numbers;
    assert_int_equal(l->record->numbers_bytes, sizeof *n);
    assert_int_equal(n->first, -5);
    assert_int_equal(n->n, (int64_t)1 << 40);
    for (int i = 0; i < 4; i++)
        assert_int_equal(n->sizes[i], i + 1);
    assert_true(n->two_numbers.f == 2.5f && n->two_numbers.wide == -1 && n->last == INT32_MAX);
    oct_recipe_free(&r);
}

static void a_record_is_checked(void **state)
{
    (void)state;
    const mixed_args good = {.x = oct_whole(0), .y = oct_whole(0)};
    const struct {
        mixed_args args;
        const char *says;
    } wrong[] = {
        {{.y = good.y}, "the memory x is not given"},
        {{.x = good.x}, "the memory y is not given"},
        {{.x = oct_whole(OCT_MEM_NONE), .y = good.y}, "the memory x is not given"},
        {{.x = good.x, .y = good.y, .first = (int64_t)1 << 31}, "first is 2147483648, past 32 bits"},
        {{.x = good.x, .y = good.y, .last = -((int64_t)1 << 31) - 1}, "last is -2147483649, past 32 bits"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        oct_recipe r;
        oct_recipe_init(&r);
        oct_recipe_temp(&r, 4);
        oct_launch *l = launch(&r);
        oct_launch_mixed(l, &wrong[i].args);
        oct_launch_mixed(l, &good); /* the first failure stays */
        refused(&r, wrong[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_memory_too_many),    cmocka_unit_test(a_third_input_in_place),
        cmocka_unit_test(build_options_too_long), cmocka_unit_test(a_record_is_packed),
        cmocka_unit_test(a_record_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
