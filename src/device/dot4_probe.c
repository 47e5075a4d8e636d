/* The last word on dot product paths: what only a kernel run on the device can tell, and what the environment
 * says.
 */
#include "device_priv.h"

#include <stdlib.h>
#include <string.h>

static octet_status run_probe(oct_device *d, cl_kernel kernel, cl_mem buffer, cl_int out[2])
{
    const size_t one = 1;
    cl_int err = clSetKernelArg(kernel, 0, sizeof buffer, &buffer);
    if (err == CL_SUCCESS)
        err = clEnqueueNDRangeKernel(d->queue, kernel, 1, NULL, &one, &one, 0, NULL, NULL);
    if (err == CL_SUCCESS)
        err = clEnqueueReadBuffer(d->queue, buffer, CL_TRUE, 0, 2 * sizeof *out, out, 0, NULL, NULL);
    return err == CL_SUCCESS ? OCTET_OK : oct_cl_fail(err, "the probe of qcom_dot8_acc");
}

/* Sources disagree on the signs of qcom_dot8_acc's operands, so the device is asked. A device that lists the
 * extension and cannot run it, or takes both as unsigned, goes without. */
static void probe_qualcomm(oct_device *d)
{
    static const char extension[] = "cl_qcom_dot_product8";
    const char *at = strstr(d->caps.info.extensions, extension);
    if (!at || (at[sizeof extension - 1] != ' ' && at[sizeof extension - 1] != '\0'))
        return;
    cl_kernel kernel = NULL;
    cl_mem buffer = NULL;
    cl_int out[2] = {255, 255};
    octet_status status = oct_device_kernel(d, "dot4/probe_qualcomm.cl", "probe", "", &kernel);
    if (status == OCTET_OK)
        status = oct_buffer_create(d, sizeof out, &buffer);
    if (status == OCTET_OK)
        status = run_probe(d, kernel, buffer, out);
    oct_buffer_release(d, buffer);
    if (kernel)
        clReleaseKernel(kernel);
    oct_dot4_path path = out[0] == -1 && out[1] == -1    ? OCT_DOT4_QUALCOMM
                         : out[0] == 255 && out[1] == -1 ? OCT_DOT4_QUALCOMM_US
                         : out[0] == -1 && out[1] == 255 ? OCT_DOT4_QUALCOMM_SU
                                                         : OCT_DOT4_NONE;
    if (status != OCTET_OK || path == OCT_DOT4_NONE) {
        oct_device_log(d, "%s is not used: %s", extension,
                       status != OCTET_OK ? oct_error_text() : "its operands have other signs");
        return;
    }
    d->caps.dot4_paths |= 1u << path;
    if (d->caps.dot4 == OCT_DOT4_NONE)
        d->caps.dot4 = path;
    oct_caps_name_paths(&d->caps);
}

octet_status oct_device_probe_dot4(oct_device *d)
{
    probe_qualcomm(d);
    const char *wanted = d->environment.dot4;
    return *wanted ? oct_caps_choose_dot4(&d->caps, wanted) : OCTET_OK;
}
