/* Tuning and its file, for callers. */
#include "api.h"
#include "gemm_session.h"
#include "model.h"
#include "tune.h"

#include <octet/experimental.h>

typedef struct teller {
    octet_tune_fn *found;
    void *user;
} teller;

static octet_status tell(void *user, const oct_tune_result *r)
{
    const teller *t = user;
    octet_tune_result mine;
    if (!t->found)
        return OCTET_OK;
    OCTET_INIT(mine);
    mine.problem = r->row.key;
    mine.variant = r->row.variant;
    mine.spread = r->row.spread;
    mine.usual_variant = r->usual;
    mine.seconds = r->seconds;
    mine.usual_seconds = r->usual_seconds;
    mine.tried = (size_t)r->tried;
    mine.dropped = r->dropped;
    mine.index = (size_t)r->index;
    mine.count = (size_t)r->count;
    RETURN_IF(t->found(t->user, &mine), OCTET_INVALID_ARGUMENT, "tuning was ended by its caller");
    return OCTET_OK;
}

static octet_status take_options(const octet_tune_desc *desc, teller *t, oct_tune_options *options)
{
    octet_tune_desc d;
    FORWARD(TAKE_DESC(d, desc, octet_tune_desc));
    RETURN_IF(!(d.seconds >= 0 && d.seconds <= 3600), OCTET_INVALID_ARGUMENT,
              "octet_tune_desc.seconds: %g; 0 to 3600", d.seconds);
    *t = (teller){d.found, d.user};
    *options = (oct_tune_options){.seconds = d.seconds, .seed = d.seed, .found = tell, .user = t};
    return OCTET_OK;
}

octet_status octet_tune_gemm(octet_context *context, const octet_gemm_desc *gemm, const octet_tune_desc *desc)
{
    CHECK_ARG(context);
    CHECK_ARG(gemm);
    teller t;
    oct_tune_options options;
    octet_gemm_desc d;
    FORWARD(take_options(desc, &t, &options));
    FORWARD(TAKE_DESC(d, gemm, octet_gemm_desc));
    FORWARD(oct_api_check_gemm(&d));
    oct_recipe r;
    oct_recipe_init(&r);
    octet_status status = oct_gemm_session_recipe(context->device, &d, &r);
    if (status == OCTET_OK)
        status = oct_tune(context->device, &r, &options);
    oct_recipe_free(&r);
    return status;
}

typedef struct visitor {
    oct_device *device;
    const oct_tune_options *options;
} visitor;

static octet_status visit(void *user, const oct_recipe *recipe)
{
    const visitor *v = user;
    return oct_tune(v->device, recipe, v->options);
}

octet_status octet_tune_model(octet_model *model, const octet_session_desc *session,
                              const octet_tune_desc *desc)
{
    CHECK_ARG(model);
    teller t;
    oct_tune_options options;
    octet_session_desc d;
    oct_plan_memory takes;
    FORWARD(oct_api_take_session_desc(&d, session, model, __func__));
    FORWARD(take_options(desc, &t, &options));
    visitor v = {model->device, &options};
    return oct_model_visit_plan(model, &d, visit, &v, &takes);
}

octet_status octet_tuning_list(octet_context *context, octet_tune_fn *row, void *user)
{
    CHECK_ARG(context);
    CHECK_ARG(row);
    oct_tuning rows;
    FORWARD(oct_tuning_read(context->device, &rows));
    octet_status status = OCTET_OK;
    for (size_t i = 0; status == OCTET_OK && i < rows.count; i++) {
        octet_tune_result mine;
        OCTET_INIT(mine);
        mine.problem = rows.rows[i].key;
        mine.variant = rows.rows[i].variant;
        mine.spread = rows.rows[i].spread;
        mine.usual_variant = mine.dropped = "";
        mine.index = i;
        mine.count = rows.count;
        if (row(user, &mine))
            status = oct_fail(OCTET_INVALID_ARGUMENT, "the list was ended by its caller");
    }
    oct_tuning_free(&rows);
    return status;
}

octet_status octet_tuning_reset(octet_context *context)
{
    CHECK_ARG(context);
    return oct_tuning_forget(context->device);
}

octet_status octet_tuning_file(const octet_context *context, char *path, size_t size)
{
    CHECK_ARG(context);
    CHECK_ARG(path);
    RETURN_IF(!size, OCTET_INVALID_ARGUMENT, "octet_tuning_file: size is 0");
    oct_tuning_path(context->device, path, size);
    return OCTET_OK;
}
