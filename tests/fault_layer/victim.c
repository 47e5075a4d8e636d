/* What runs under the fault layer: the digits network, twice on one context, then once short of memory, from
 * a new context to its end.
 * Exit 0: it worked; 1: Octet gave an error (its text on stdout); anything else is a defect. A GEMM on the
 * way covers that path. */
#include <octet/octet.h>

#include <stdio.h>
#include <stdlib.h>

static octet_status gemm(octet_context *context)
{
    static const signed char b[16 * 16];
    unsigned char a[16 * 16] = {1};
    int c[16 * 16];
    octet_gemm_desc d;
    OCTET_INIT(d);
    d.m = d.n = d.k = 16;
    d.a_dtype = OCTET_U8;
    d.b_dtype = OCTET_S8;
    octet_gemm *g = NULL;
    octet_status status = octet_gemm_create(context, &d, b, &g);
    if (status == OCTET_OK)
        status = octet_gemm_run(g, a, NULL, c);
    octet_gemm_destroy(g);
    return status;
}

/* The same network with a little less memory than it takes: some weights are streamed. */
static octet_status short_of_memory(octet_model *model)
{
    static float pixels[64];
    octet_session_desc desc;
    octet_session_info info;
    octet_session *session = NULL;
    OCTET_INIT(desc);
    OCTET_INIT(info);
    octet_status status = octet_model_plan(model, NULL, &info);
    desc.memory_limit = info.device_bytes - 1;
    if (status == OCTET_OK)
        status = octet_session_create(model, &desc, &session);
    octet_tensor in = {OCTET_F32, 4, {1, 1, 8, 8}, pixels, sizeof pixels}, out = {0};
    if (status == OCTET_OK)
        status = octet_session_run(session, &in, 1, &out, 1);
    octet_tensor_free(&out);
    if (status == OCTET_OK)
        status = octet_session_get_info(session, &info);
    octet_session_destroy(session);
    if (status == OCTET_OK && !info.streamed_bytes)
        exit(3);
    return status;
}

static octet_status network(octet_context *context, const char *path)
{
    static float pixels[2 * 64];
    octet_model *model = NULL;
    octet_session *session = NULL;
    octet_status status = octet_model_load(context, path, NULL, &model);
    if (status == OCTET_OK)
        status = octet_session_create(model, NULL, &session);
    for (int batch = 1; status == OCTET_OK && batch <= 2; batch++) {
        octet_tensor in = {OCTET_F32, 4, {batch, 1, 8, 8}, pixels, sizeof pixels / 2 * (size_t)batch},
                     out = {0};
        status = octet_session_run(session, &in, 1, &out, 1);
        octet_tensor_free(&out);
    }
    octet_session_destroy(session);
    if (status == OCTET_OK)
        status = short_of_memory(model);
    octet_model_destroy(model);
    return status;
}

int main(int argc, char **argv)
{
    octet_context_desc desc;
    OCTET_INIT(desc);
    desc.cache_dir = argc > 2 ? argv[2] : "";
    desc.profiling = getenv("OCTET_VICTIM_PROFILE") != NULL;
    octet_context *context = NULL;
    octet_status status = octet_context_create(&desc, &context);
    if (status == OCTET_OK)
        status = gemm(context);
    if (status == OCTET_OK && argc > 1)
        status = network(context, argv[1]);
    if (status != OCTET_OK)
        printf("%s: %s\n", octet_status_name(status), octet_last_error());
    octet_context_destroy(context);
    return status != OCTET_OK;
}
