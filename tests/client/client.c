/* A program on an installed liboctet: an int8 GEMM, and a model run when one is given. Exit status 0 when
 * every number is right.
 */
#include <octet/octet.h>

#include <stdio.h>
#include <string.h>

static int failed(octet_status status, const char *what)
{
    if (status != OCTET_OK)
        fprintf(stderr, "client: %s: %s: %s\n", what, octet_status_name(status), octet_last_error());
    return status != OCTET_OK;
}

/* 2x3 times 3x2, by hand: {1,2,3; 4,5,6} x {1,-1; 2,-2; 3,-3} = {14,-14; 32,-32}. */
static int multiply(octet_context *context)
{
    static const unsigned char a[6] = {1, 2, 3, 4, 5, 6};
    static const signed char b[6] = {1, -1, 2, -2, 3, -3};
    static const int32_t expected[4] = {14, -14, 32, -32};
    int32_t c[4] = {0};
    octet_gemm *gemm = NULL;
    octet_gemm_desc desc;
    int bad;
    OCTET_INIT(desc);
    desc.m = 2;
    desc.n = 2;
    desc.k = 3;
    desc.a_dtype = OCTET_U8;
    desc.b_dtype = OCTET_S8;
    bad = failed(octet_gemm_create(context, &desc, b, &gemm), "gemm create") ||
          failed(octet_gemm_run(gemm, a, NULL, c), "gemm run");
    octet_gemm_destroy(gemm);
    if (!bad && memcmp(c, expected, sizeof c) != 0) {
        fprintf(stderr, "client: gemm gives {%d,%d; %d,%d}\n", (int)c[0], (int)c[1], (int)c[2], (int)c[3]);
        bad = 1;
    }
    return bad;
}

/* A model that takes one image tensor gives the same scores twice. */
static int run_model(octet_context *context, const char *path)
{
    float pixels[64] = {0};
    octet_tensor image = {OCTET_F32, 4, {1, 1, 8, 8}, NULL, sizeof pixels};
    octet_tensor scores[2];
    octet_model *model = NULL;
    octet_session *session = NULL;
    int bad;
    memset(scores, 0, sizeof scores);
    image.data = pixels;
    bad = failed(octet_model_load(context, path, NULL, &model), "model load") ||
          failed(octet_session_create(model, NULL, &session), "session create") ||
          failed(octet_session_run(session, &image, 1, &scores[0], 1), "session run") ||
          failed(octet_session_run(session, &image, 1, &scores[1], 1), "session run again");
    if (!bad && (octet_tensor_bytes(&scores[0]) != 10 * sizeof(float) ||
                 memcmp(scores[0].data, scores[1].data, 10 * sizeof(float)) != 0)) {
        fprintf(stderr, "client: two runs on the same image differ\n");
        bad = 1;
    }
    octet_tensor_free(&scores[0]);
    octet_tensor_free(&scores[1]);
    octet_session_destroy(session);
    octet_model_destroy(model);
    return bad;
}

int main(int argc, char **argv)
{
    octet_context *context = NULL;
    int bad = failed(octet_context_create(NULL, &context), "context create") || multiply(context) ||
              (argc > 1 && run_model(context, argv[1]));
    octet_context_destroy(context);
    if (!bad)
        printf("client: octet %s works\n", octet_version());
    return bad;
}
