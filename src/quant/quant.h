/* The arithmetic that defines every result: affine 8-bit quantization, requantization in the ONNX way, and
 * 256-entry tables of functions of one byte. Kernels match
 * these bytes. Everything here is a pure function of its arguments in the default rounding mode; formulas,
 * order of operations and what was compared with ONNX Runtime are in docs/numerics.md. */
#ifndef OCT_QUANT_H
#define OCT_QUANT_H

#include <octet/octet.h>
#include <stdbool.h>
#include <stdint.h>

/* Zero points and quantized values travel as int32_t; the caller gives the range of the type
 * (oct_dtype_min/max) or a narrower clamp inside it. Scales must be finite and positive: oct_scale_valid() is
 * the test. */
bool oct_scale_valid(float scale);

/* clamp(rint_half_even(x / scale) + zero, qmin, qmax), the quotient correctly rounded to float32. A NaN gives
 * `zero`; infinities saturate. */
int32_t oct_quantize_f32(float x, float scale, int32_t zero, int32_t qmin, int32_t qmax);

/* (float)(q - zero) * scale */
float oct_dequantize(int32_t q, float scale, int32_t zero);

/* The two for `count` elements of u8 or s8, in loops that compilers vectorize. Same bytes. */
void oct_quantize_row(const float *x, size_t count, float scale, int32_t zero, octet_dtype dtype, void *y);
void oct_dequantize_row(const void *x, size_t count, float scale, int32_t zero, octet_dtype dtype, float *y);

/* The multiplier of a product's accumulator: (sx * sw) / sy, each step rounded to float32. */
float oct_multiplier(float sx, float sw, float sy);

/* ONNX requantization: clamp(rint_half_even((float)acc * m) + zero, qmin, qmax). A product that is NaN (an
 * infinite multiplier times 0) gives `zero`. */
int32_t oct_requantize(int64_t acc, float m, int32_t zero, int32_t qmin, int32_t qmax);

/* How many numbers of this 8- or 16-bit type, less a zero point each, an int32 sums exactly whatever they
 * are. */
int64_t oct_sum_most(octet_dtype dtype);

/* clamp(rint_half_even(x) + zero, qmin, qmax): the end of every chain that rounds before it adds the zero
 * point. */
int32_t oct_round_then_zero(float x, int32_t zero, int32_t qmin, int32_t qmax);

/* clamp(rint_half_even(x), qmin, qmax): the end of chains that added the zero point in float (QLinearAdd,
 * -Mul). A NaN gives qmin. */
int32_t oct_round_clamp(float x, int32_t qmin, int32_t qmax);

/* DynamicQuantizeLinear's parameters for data between min and max (u8): the range is widened to contain 0. */
void oct_dynamic_params(float min, float max, float *scale, uint8_t *zero);

/* ---- functions of one byte ------------------------------------------------------------------------------
 */

/* How a byte becomes another: x is u8 or s8 with (x_scale, x_zero), y is u8 or s8 with (y_scale, y_zero).
 * Tables are indexed by the byte's bits (an s8 -1 is entry 255) and hold the result's bits. */
typedef struct oct_lut_params {
    octet_dtype x_dtype, y_dtype;
    float x_scale, y_scale;
    int32_t x_zero, y_zero;
} oct_lut_params;

/* Any function f(x, user) of the dequantized value, requantized: entry = quantize(f(dequantize(x))). */
typedef float (*oct_lut_fn)(float x, const void *user);
void oct_lut_make(const oct_lut_params *p, oct_lut_fn fn, const void *user, uint8_t table[256]);

void oct_lut_sigmoid(const oct_lut_params *p, uint8_t table[256]);                 /* QLinearSigmoid */
void oct_lut_leaky_relu(const oct_lut_params *p, float alpha, uint8_t table[256]); /* QLinearLeakyRelu */
/* Change of parameters (QLinearConcat); a copy where they are equal, also where the product overflows. */
void oct_lut_requantize(const oct_lut_params *p, uint8_t table[256]);

/* The logistic function as ONNX Runtime's CPU provider approximates it. */
float oct_logistic(float x);

/* QLinearSoftmax's table: entry 255 - (max - x) is exp(-(max - x) * x_scale) times a constant, in float32
 * through double; axis_elems is the length of the axis (it sets the constant). See oct_ref_qsoftmax. */
void oct_softmax_table(float x_scale, int64_t axis_elems, float table[256]);

/* ---- exact division on devices --------------------------------------------------------------------------
 */

/* The host's model of kernels/div.clh, step for step. Valid for every a and b; equal to a / b to nearest
 * even, except that quotients below 2^-126 in magnitude are zero of their sign. */
float oct_div_rn(float a, float b);
/* Its first half, RN(1 / significand), from a device's own approximation of it: any seed within 4 ulp gives
 * the same result. significand in [1, 2). */
float oct_recip_refine(float significand, float seed);

/* The model of oct_quotient() there: x / s for s in [2^-60, 2^60], y = RN(1 / s), exact where an integer of
 * at most 17 bits needs it. */
float oct_quotient(float x, float s, float y);

/* The model of oct_muldiv_rte() there: rint_half_even(e * c / s) of the exact quotient, at most 256, for
 * QLinearSoftmax. Equal to the same in double precision, which OpenCL devices need not have. */
int32_t oct_muldiv_rte(float e, float c, float s);

#endif
