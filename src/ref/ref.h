/* One scalar C function per operator: the oracle of every test. Obvious rather than fast; exact in int32 or
 * in the float order of docs/numerics.md. Activations of spatial operators are NHWC, convolution weights
 * OIHW, everything dense unless a stride is given. Parameters are trusted (tests and plan have checked them);
 * nothing allocates. */
#ifndef OCT_REF_H
#define OCT_REF_H

#include "geometry.h"
#include "quant.h"
#include <stddef.h>

/* Scale and zero point of an operand. scale NULL: 1.0f; zero NULL: 0. A count of 1 serves all channels. */
typedef struct oct_ref_quant {
    const float *scale;
    const void *zero; /* in the operand's own type */
    int64_t scale_count, zero_count;
} oct_ref_quant;

/* 16 bits on either side of a product: its sum is of 64 bits. */
bool oct_ref_is_wide(octet_dtype x, octet_dtype y);
/* Element i of an integer array of type u8, s8, u16, s16 or s32; and its store (wrapping). */
int32_t oct_ref_load(octet_dtype dtype, const void *data, int64_t i);
void oct_ref_store(octet_dtype dtype, void *data, int64_t i, int32_t value);
/* Channel i's scale or zero point under the rules above. */
float oct_ref_scale(const oct_ref_quant *q, int64_t i);
int32_t oct_ref_zero(const oct_ref_quant *q, octet_dtype dtype, int64_t i);

/* ---- products -------------------------------------------------------------------------------------------
 */

/* The meaning of oct_gemm_request (gemm.h) on host memory. acc = sum (a - za) * (b - zb[n]) + bias[n],
 * exact (modulo 2^32 where the bias makes it leave int32). c: s32 acc; f32 (float)acc * (sa[m] * sb[n]); u8,
 * s8 oct_requantize(acc, (sa * sb[n]) / sc, zc, clamp_min, clamp_max). */
typedef struct oct_ref_gemm_params {
    int64_t m, n, k, batch;
    int64_t lda, ldb, ldc;
    int64_t a_stride, b_stride, c_stride;
    bool transpose_b;
    octet_dtype a_dtype, b_dtype, c_dtype;
    const void *a, *b;
    void *c;
    const int32_t *bias;         /* [n] or NULL */
    oct_ref_quant a_q, b_q, c_q; /* a scale: 1 or m (f32 out only); a zero: 1; b: 1 or n; c: 1 */
    int32_t clamp_min, clamp_max;
} oct_ref_gemm_params;
void oct_ref_gemm(const oct_ref_gemm_params *p);

/* The meaning of oct_conv_request (conv.h): x [n][h][w][c], weights [co][c / group][kh][kw], y
 * [n][oh][ow][co]. Positions outside the input are its zero point. y: s32, or u8/s8 as in oct_ref_gemm. */
typedef struct oct_ref_conv_params {
    oct_geometry g;
    octet_dtype x_dtype, w_dtype, y_dtype;
    const void *x, *weights;
    void *y;
    const int32_t *bias;         /* [co] or NULL */
    oct_ref_quant x_q, w_q, y_q; /* x, y: count 1; w: 1 or co */
    int32_t clamp_min, clamp_max;
} oct_ref_conv_params;
void oct_ref_conv(const oct_ref_conv_params *p);

/* ---- quantize, dequantize -------------------------------------------------------------------------------
 */

/* Data as [outer][axis][inner]; parameters per tensor (count 1) or per index of axis (count axis). */
typedef struct oct_ref_quantize_params {
    int64_t outer, axis, inner;
    octet_dtype q_dtype; /* quantize: u8, s8, u16, s16; dequantize: those or s32 */
    oct_ref_quant q;
} oct_ref_quantize_params;
void oct_ref_quantize(const oct_ref_quantize_params *p, const float *x, void *y);
void oct_ref_dequantize(const oct_ref_quantize_params *p, const void *x, float *y);
/* y u8. n may be 0 (scale 1, zero 0). */
void oct_ref_dynamic_quantize(const float *x, int64_t n, uint8_t *y, float *scale, uint8_t *zero);

/* ---- element by element ---------------------------------------------------------------------------------
 */

/* Numpy broadcasting. dims are the output's; a_dims, b_dims have the same rank (1s put in front) and are 1 or
 * equal. */
typedef struct oct_ref_broadcast {
    int rank;
    int64_t dims[OCTET_MAX_RANK], a_dims[OCTET_MAX_RANK], b_dims[OCTET_MAX_RANK];
} oct_ref_broadcast;

typedef struct oct_ref_qbinary_params {
    oct_ref_broadcast shape;
    octet_dtype dtype; /* u8 or s8, of a, b and y */
    float a_scale, b_scale, y_scale;
    int32_t a_zero, b_zero, y_zero;
    int32_t clamp_min, clamp_max;
    bool swapped; /* qadd: which operand is added first, see oct_ref_qadd_swapped */
} oct_ref_qbinary_params;
/* qadd adds b's term first, a's last, unless a is the operand that is constant along the innermost dimension
 * (in ONNX order, dimensions of 1 skipped): then the other way round. The float result can differ in the last
 * bit. */
bool oct_ref_qadd_swapped(const oct_ref_broadcast *shape);
void oct_ref_qadd(const oct_ref_qbinary_params *p, const void *a, const void *b, void *y);
void oct_ref_qmul(const oct_ref_qbinary_params *p, const void *a, const void *b, void *y);

typedef enum oct_ref_float_op {
    OCT_REF_ADD,
    OCT_REF_SUB,
    OCT_REF_MUL,
    OCT_REF_DIV,
    OCT_REF_MIN,
    OCT_REF_MAX
} oct_ref_float_op;
void oct_ref_float_binary(oct_ref_float_op op, const oct_ref_broadcast *shape, const float *a, const float *b,
                          float *y);
/* A function of one element by its ONNX name; false: unknown. Close, not exact: computed in double. */
bool oct_ref_unary(const char *name, const float *x, int64_t n, float a, float b, float *y);
void oct_ref_round(const float *x, int64_t n, float *y); /* half to even */
void oct_ref_clip_f32(const float *x, int64_t n, float min, float max, float *y);
/* Minimum or maximum over `axis` of [outer][axis][inner] -> [outer][inner]; a NaN anywhere gives NaN. */
void oct_ref_reduce_minmax(bool max, const float *x, int64_t outer, int64_t axis, int64_t inner, float *y);

/* Float reductions of [outer][axis][inner] (in double), the position of the largest or smallest element (of
 * equals the first, or the last), softmax and its logarithm. */
typedef enum oct_ref_reduction {
    OCT_REF_SUM,
    OCT_REF_MEAN,
    OCT_REF_PROD,
    OCT_REF_L1,
    OCT_REF_L2,
    OCT_REF_SUM_SQUARE,
    OCT_REF_LOG_SUM
} oct_ref_reduction;
void oct_ref_reduce(oct_ref_reduction op, const float *x, int64_t outer, int64_t axis, int64_t inner,
                    float *y);
void oct_ref_arg_best(bool largest, bool last, const float *x, int64_t outer, int64_t axis, int64_t inner,
                      int64_t *y);
void oct_ref_softmax(bool logarithm, const float *x, int64_t outer, int64_t axis, int64_t inner, float *y);

/* Reductions of an 8- or 16-bit tensor [outer][axis][inner] -> [outer][inner], y of the same type. Minima and
 * maxima of the numbers (the parameters are not looked at); OCT_REF_Q_SUM and _MEAN: the exact int32 sum of x
 * - x_zero, sat(rint((float)sum * m) + y_zero), m = x_scale / (y_scale * (float)axis), for a sum x_scale /
 * y_scale. */
typedef enum oct_ref_q_reduction {
    OCT_REF_Q_MIN,
    OCT_REF_Q_MAX,
    OCT_REF_Q_SUM,
    OCT_REF_Q_MEAN
} oct_ref_q_reduction;
typedef struct oct_ref_q_parameters {
    octet_dtype dtype;
    float x_scale, y_scale;
    int32_t x_zero, y_zero;
} oct_ref_q_parameters;
void oct_ref_q_reduce(oct_ref_q_reduction op, const oct_ref_q_parameters *p, const void *x, int64_t outer,
                      int64_t axis, int64_t inner, void *y);

void oct_ref_lut(const uint8_t table[256], const void *x, int64_t n, void *y);
/* Relu and Clip on 8-bit data that stay in the same parameters: clamp the value. */
void oct_ref_clamp8(octet_dtype dtype, const void *x, int64_t n, int32_t min, int32_t max, void *y);

/* ---- several inputs, windows ----------------------------------------------------------------------------
 */

typedef struct oct_ref_concat_input {
    const void *data;
    int64_t axis; /* its length along the axis */
    float scale;
    int32_t zero;
} oct_ref_concat_input;
/* [outer][axis_i][inner] each -> y [outer][sum axis_i][inner], one 8-bit dtype. */
void oct_ref_qconcat(octet_dtype dtype, const oct_ref_concat_input *inputs, int count, int64_t outer,
                     int64_t inner, float y_scale, int32_t y_zero, void *y);

/* x [n][h][w][c] -> y [n][oh][ow][c]. Without padding and with a window as large as the input, the average is
 * oct_ref_qglobal_avgpool's, as in ONNX Runtime. count_include_pad divides by kh * kw always (ceil_mode too).
 */
typedef struct oct_ref_pool_params {
    int64_t n, h, w, c, oh, ow, kh, kw;
    int64_t stride_h, stride_w, dilation_h, dilation_w;
    int64_t pad_top, pad_left, pad_bottom, pad_right;
    bool count_include_pad;
    octet_dtype dtype;      /* u8 or s8 */
    float x_scale, y_scale; /* average only */
    int32_t x_zero, y_zero;
} oct_ref_pool_params;
void oct_ref_qavgpool(const oct_ref_pool_params *p, const void *x, void *y);
void oct_ref_maxpool(const oct_ref_pool_params *p, const void *x, void *y);
/* x [n][pixels][c] -> y [n][c]. */
void oct_ref_qglobal_avgpool(octet_dtype dtype, int64_t n, int64_t pixels, int64_t c, float x_scale,
                             int32_t x_zero, float y_scale, int32_t y_zero, const void *x, void *y);

/* QLinearSoftmax over `axis` of [outer][axis][inner] (opset < 13: inner 1 and axis the product of the
 * trailing dimensions). */
typedef struct oct_ref_softmax_params {
    int64_t outer, axis, inner;
    octet_dtype dtype; /* u8 or s8 */
    float x_scale, y_scale;
    int32_t y_zero;
} oct_ref_softmax_params;
void oct_ref_qsoftmax(const oct_ref_softmax_params *p, const void *x, void *y);

/* ---- normalizations and logic ---------------------------------------------------------------------------
 */

/* oct_normalize_request (ops/normalize.h) on host memory; bias, means and inverses may be NULL. */
void oct_ref_normalize(int64_t rows, int64_t length, int64_t run, int64_t scales, float epsilon,
                       const float *x, const float *scale, const float *bias, float *y, float *means,
                       float *inverses);
/* [pixels][c] */
void oct_ref_lrn(int64_t pixels, int64_t c, int64_t size, float alpha, float beta, float bias, const float *x,
                 float *y);
/* A comparison (Equal, Less, ...) or And, Or, Xor by its ONNX name. */
bool oct_ref_logic(const char *name, double a, double b);
/* QLinearWhere of n elements each, already broadcast: condition ? x : y in z's scale and zero point. */
typedef struct oct_ref_qwhere_params {
    octet_dtype dtype; /* u8 or s8, of x, y and z */
    float x_scale, y_scale, z_scale;
    int32_t x_zero, y_zero, z_zero;
} oct_ref_qwhere_params;
void oct_ref_qwhere(const oct_ref_qwhere_params *p, const uint8_t *condition, const void *x, const void *y,
                    int64_t n, void *z);

/* ---- moves ----------------------------------------------------------------------------------------------
 */

/* y dimension i is x dimension perm[i]; elements of elem_bytes. */
void oct_ref_transpose(const void *x, const int64_t *dims, int rank, const int *perm, size_t elem_bytes,
                       void *y);
/* ONNX Cast among f32, u8, s8, u16, s16, s32, s64 and bool. Integers wrap; floats truncate toward zero, and
 * what does not fit the target is unspecified by ONNX: here it saturates and NaN gives 0. To bool: x != 0. */
void oct_ref_cast(octet_dtype from, octet_dtype to, const void *x, int64_t n, void *y);

/* ---- recurrent ------------------------------------------------------------------------------------------
 */

/* oct_recurrence_request (recurrence.h) on host memory. */
typedef struct oct_ref_recurrent {
    int64_t steps, batch, inputs, hidden;
    int directions;
    bool reverse, batch_first, input_forget, linear_before_reset;
    float clip;
    struct {
        const char *name; /* as for oct_ref_unary */
        float alpha, beta;
    } functions[2][3];
    const float *x, *w, *r, *bias, *h, *c, *peepholes; /* all but x, w and r may be NULL */
    const int32_t *lengths;                            /* or NULL */
    float *y, *y_h, *y_c;                              /* each may be NULL */
} oct_ref_recurrent;
/* false: out of memory */
bool oct_ref_lstm(const oct_ref_recurrent *lstm);
bool oct_ref_gru(const oct_ref_recurrent *gru);

#endif
