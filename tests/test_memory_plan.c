/* The memory plan, without a device: what is done once, what in every run, and that no two memories that are
 * alive at the same time share a byte. */
#include "memory_plan.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const oct_memory_limits unlimited = {.chunk = SIZE_MAX / 4, .limit = SIZE_MAX, .pad = 64};

static oct_launch *launch(oct_recipe *r)
{
    oct_launch *l = oct_recipe_launch(r, "f.cl", "k", "%s", "");
    oct_launch_1d(l, 1, 0);
    return l;
}

static void constants_are_done_once(void **state)
{
    (void)state;
    oct_recipe r;
    oct_recipe_init(&r);
    static const char weights[10000];
    oct_mem x = oct_recipe_input(&r, 100), y = oct_recipe_output(&r, 100);
    oct_mem w = oct_recipe_const(&r, weights, sizeof weights), unused = oct_recipe_const(&r, weights, 5000);
    oct_mem scale = oct_recipe_const(&r, weights, 4);
    oct_mem packed = oct_recipe_temp(&r, 12000), mult = oct_recipe_temp(&r, 64),
            mid = oct_recipe_temp(&r, 300);
    oct_launch *l = launch(&r); /* 0: pack */
    oct_launch_in(l, w);
    oct_launch_out(l, packed);
    l = launch(&r); /* 1: prepare */
    oct_launch_in(l, scale);
    oct_launch_out(l, mult);
    l = launch(&r); /* 2: run */
    oct_launch_in(l, x);
    oct_launch_in(l, packed);
    oct_launch_in(l, mult);
    oct_launch_out(l, mid);
    l = launch(&r); /* 3: run */
    oct_launch_in(l, mid);
    oct_launch_in(l, scale);
    oct_launch_out(l, y);

    oct_memory_plan p;
    assert_int_equal(oct_memory_plan_make(&r, NULL, &unlimited, &p, NULL), OCTET_OK);
    const bool in_run[] = {false, false, true, true};
    for (int i = 0; i < 4; i++)
        assert_int_equal(p.phases[i], in_run[i] ? OCT_IN_RUN : OCT_IN_LOAD);
    assert_int_equal(p.load[w].region, OCT_REGION_STAGING);
    assert_int_equal(p.run[unused].region, OCT_REGION_NOWHERE);
    assert_int_equal(p.run[scale].region, OCT_REGION_SMALL);
    assert_int_equal(p.run[packed].region, OCT_REGION_WEIGHTS);
    assert_int_equal(p.run[mult].region, OCT_REGION_WEIGHTS);
    assert_int_equal(p.run[mid].region, OCT_REGION_ARENA);
    assert_int_equal(p.run[x].region, OCT_REGION_ARENA);
    assert_int_equal(p.run[y].region, OCT_REGION_ARENA);
    assert_int_equal(p.small_bytes, 4);
    assert_true(p.run[packed].offset >= p.small_bytes && p.run[mult].offset >= p.small_bytes);
    assert_true(p.weights_bytes >= 12000 + 64 + 4);
    assert_int_equal(p.run[w].region, OCT_REGION_NOWHERE);
    oct_memory_plan_free(&p);
    oct_recipe_free(&r);
}

/* One run-time writer makes every writer of a memory run-time. */
static void a_shared_output_is_run_time(void **state)
{
    (void)state;
    oct_recipe r;
    oct_recipe_init(&r);
    static const char c[16];
    oct_mem x = oct_recipe_input(&r, 16), k = oct_recipe_const(&r, c, 16), cat = oct_recipe_temp(&r, 32);
    oct_launch *l = launch(&r);
    oct_launch_in(l, k);
    oct_launch_out(l, cat);
    l = launch(&r);
    oct_launch_in(l, x);
    oct_launch_out(l, cat);
    oct_memory_plan p;
    assert_int_equal(oct_memory_plan_make(&r, NULL, &unlimited, &p, NULL), OCTET_OK);
    assert_true(p.phases[0] == OCT_IN_RUN && p.phases[1] == OCT_IN_RUN);
    assert_int_equal(p.run[cat].region, OCT_REGION_ARENA);
    oct_memory_plan_free(&p);
    oct_recipe_free(&r);
}

typedef struct interval {
    oct_mem mem;
    int first, last;
} interval;

static void lifetime(const oct_recipe *r, oct_mem m, int *first, int *last)
{
    *first = r->mems[m].kind == OCT_MEM_INPUT ? -1 : INT_MAX;
    *last = r->mems[m].kind == OCT_MEM_OUTPUT ? INT_MAX : -1;
    for (int i = 0; i < r->launch_count; i++) {
        for (int a = 0; a < r->launches[i]->arg_count; a++) {
            if (r->launches[i]->args[a].mem != m)
                continue;
            *first = i < *first ? i : *first;
            *last = i > *last ? i : *last;
        }
    }
}

static void check_no_overlap(const oct_recipe *r, const oct_memory_plan *p, unsigned seed)
{
    for (int m = 0; m < r->mem_count; m++) {
        if (p->run[m].region != OCT_REGION_ARENA)
            continue;
        assert_int_equal(p->run[m].offset % OCT_MEM_ALIGN, 0);
        assert_true(p->run[m].offset + r->mems[m].bytes <= p->arena_bytes);
        int mf, ml;
        lifetime(r, m, &mf, &ml);
        for (int o = 0; o < m; o++) {
            if (p->run[o].region != OCT_REGION_ARENA)
                continue;
            int of, ol;
            lifetime(r, o, &of, &ol);
            bool alive_together = mf <= ol && of <= ml;
            bool share = p->run[m].offset < p->run[o].offset + r->mems[o].bytes &&
                         p->run[o].offset < p->run[m].offset + r->mems[m].bytes;
            if (alive_together && share)
                fail_msg("seed %u: memories %d and %d overlap", seed, o, m);
        }
    }
}

/* Chains with side branches of random sizes: never an overlap, and memory is reused. */
static void random_networks_never_overlap(void **state)
{
    (void)state;
    size_t planned = 0, summed = 0;
    for (unsigned seed = 1; seed <= 200; seed++) {
        srand(seed);
        oct_recipe r;
        oct_recipe_init(&r);
        oct_mem made[64];
        int count = 0;
        made[count++] = oct_recipe_input(&r, (size_t)(rand() % 5000));
        int length = 2 + rand() % 40;
        for (int i = 0; i < length; i++) {
            oct_launch *l = launch(&r);
            oct_launch_in(l, made[count - 1]);
            if (rand() % 3 == 0)
                oct_launch_in(l, made[rand() % count]);
            size_t bytes = (size_t)(rand() % 5000);
            made[count] = i + 1 == length ? oct_recipe_output(&r, bytes) : oct_recipe_temp(&r, bytes);
            oct_launch_out(l, made[count++]);
        }
        oct_memory_plan p;
        assert_int_equal(oct_memory_plan_make(&r, NULL, &unlimited, &p, NULL), OCTET_OK);
        check_no_overlap(&r, &p, seed);
        planned += p.arena_bytes;
        for (int m = 0; m < r.mem_count; m++)
            summed += r.mems[m].bytes;
        oct_memory_plan_free(&p);
        oct_recipe_free(&r);
    }
    assert_true(planned < summed / 2);
}

/* x -> t1 -> t2 -> y, t2 and y made in place where that is safe: what must not be is changed one at a time.
 */
static void results_take_the_bytes_of_what_dies(void **state)
{
    (void)state;
    enum { ALL, READ_LATER, OTHER_SIZE, NOT_SAID, FROM_INPUT, CASES };
    for (int c = 0; c < CASES; c++) {
        oct_recipe r;
        oct_recipe_init(&r);
        oct_mem x = oct_recipe_input(&r, 640), t1 = oct_recipe_temp(&r, 640);
        oct_mem t2 = oct_recipe_temp(&r, c == OTHER_SIZE ? 704 : 640), y = oct_recipe_output(&r, 640);
        oct_launch *l = launch(&r);
        oct_launch_in(l, x);
        oct_launch_out(l, t1);
        if (c == FROM_INPUT)
            oct_launch_in_place(l, x);
        l = launch(&r);
        oct_launch_in(l, t1);
        oct_launch_out(l, t2);
        if (c != NOT_SAID)
            oct_launch_in_place(l, t1);
        l = launch(&r);
        oct_launch_in(l, t2);
        if (c == READ_LATER)
            oct_launch_in(l, t1);
        oct_launch_out(l, y);
        if (c != NOT_SAID)
            oct_launch_in_place(l, t2);
        oct_memory_plan p;
        assert_int_equal(oct_memory_plan_make(&r, NULL, &unlimited, &p, NULL), OCTET_OK);
        bool first = p.run[t1].offset == p.run[t2].offset, second = p.run[t2].offset == p.run[y].offset;
        assert_int_equal(first, c == ALL || c == FROM_INPUT);
        assert_int_equal(second, c != OTHER_SIZE && c != NOT_SAID);
        assert_int_not_equal(p.run[x].offset, p.run[t1].offset);
        if (c == ALL)
            assert_int_equal(p.arena_bytes, 2 * 640);
        oct_memory_plan_free(&p);
        oct_recipe_free(&r);
    }
}

/* No memory crosses a multiple of the largest buffer, and what is larger than one is refused. */
static void memories_lie_in_one_buffer(void **state)
{
    (void)state;
    const oct_memory_limits small = {.chunk = 1024, .limit = SIZE_MAX, .pad = 64};
    for (unsigned seed = 1; seed <= 50; seed++) {
        srand(seed);
        oct_recipe r;
        oct_recipe_init(&r);
        oct_mem last = oct_recipe_input(&r, 100);
        for (int i = 0; i < 30; i++) {
            oct_launch *l = launch(&r);
            oct_launch_in(l, last);
            if (i > 5)
                oct_launch_in(l, (oct_mem)(rand() % r.mem_count));
            last = oct_recipe_temp(&r, (size_t)(1 + rand() % 1024));
            oct_launch_out(l, last);
        }
        oct_memory_plan p;
        assert_int_equal(oct_memory_plan_make(&r, NULL, &small, &p, NULL), OCTET_OK);
        check_no_overlap(&r, &p, seed);
        for (int m = 0; m < r.mem_count; m++)
            assert_int_equal(p.run[m].offset / 1024, (p.run[m].offset + r.mems[m].bytes - 1) / 1024);
        oct_memory_plan_free(&p);
        oct_launch *l = launch(&r);
        oct_launch_in(l, last);
        oct_launch_out(l, oct_recipe_output(&r, 1025));
        assert_int_equal(oct_memory_plan_make(&r, NULL, &small, &p, NULL), OCTET_OUT_OF_MEMORY);
        oct_recipe_free(&r);
    }
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    oct_recipe r;
    oct_recipe_init(&r);
    oct_launch *l = launch(&r);
    oct_launch_in(l, oct_recipe_input(&r, SIZE_MAX / 3));
    oct_launch_out(l, oct_recipe_output(&r, SIZE_MAX / 3));
    oct_memory_plan p;
    assert_int_equal(oct_memory_plan_make(&r, NULL, &unlimited, &p, NULL), OCTET_OUT_OF_MEMORY);
    oct_recipe_free(&r);
}

/* Two constant products that differ in one number of the library call are two memories. */
static void products_are_known_by_their_numbers(void **state)
{
    (void)state;
    static const float a[64], b[64];
    const oct_sgemm plain = {.m = 4, .n = 4, .k = 4, .batch = 1, .lda = 4, .ldb = 4, .ldc = 4, .alpha = 1};
    oct_sgemm all[14];
    for (int i = 0; i < 14; i++)
        all[i] = plain;
    all[1].alpha = 2;
    all[2].beta = 1;
    size_t *const sizes[] = {&all[3].m,         &all[4].n,        &all[5].k,   &all[6].batch,
                             &all[7].lda,       &all[8].ldb,      &all[9].ldc, &all[10].a_stride,
                             &all[11].b_stride, &all[12].c_stride};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        *sizes[i] += 1;
    oct_recipe r;
    oct_recipe_init(&r);
    oct_mem x = oct_recipe_const(&r, a, sizeof a), w = oct_recipe_const(&r, b, sizeof b), y[14];
    for (int i = 0; i < 14; i++) {
        y[i] = oct_recipe_temp(&r, 256);
        oct_recipe_sgemm(&r, &all[i], (oct_float_place){x, 0}, (oct_float_place){w, 0},
                         (oct_float_place){y[i], 0});
    }
    oct_phase phases[14];
    memset(phases, OCT_IN_LOAD, sizeof phases);
    oct_identity ids[16];
    assert_int_equal(r.mem_count, 16);
    oct_identify(&r, phases, ids);
    for (int i = 1; i < 13; i++) {
        for (int k = 0; k < i; k++)
            assert_memory_not_equal(&ids[y[i]], &ids[y[k]], sizeof ids[0]);
    }
    assert_memory_equal(&ids[y[0]], &ids[y[13]], sizeof ids[0]); /* the same again */
    oct_recipe_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants_are_done_once),
        cmocka_unit_test(a_shared_output_is_run_time),
        cmocka_unit_test(random_networks_never_overlap),
        cmocka_unit_test(results_take_the_bytes_of_what_dies),
        cmocka_unit_test(memories_lie_in_one_buffer),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(products_are_known_by_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
