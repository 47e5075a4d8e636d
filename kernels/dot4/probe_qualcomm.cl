/* Which of its operands qcom_dot8_acc takes as signed: out[0] is 255 or -1 for the first, out[1] for the
 * second. */
#ifdef cl_qcom_dot_product8
#pragma OPENCL EXTENSION cl_qcom_dot_product8 : enable
#endif

__kernel void probe(__global int *out)
{
    out[0] = qcom_dot8_acc(0xffu, 0x01u, 0);
    out[1] = qcom_dot8_acc(0x01u, 0xffu, 0);
}
