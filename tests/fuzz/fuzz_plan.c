/* From a file to a run, on devices that compute nothing (stub_opencl): loading, passes, lowering, memory
 * planning, uploads, launches, and all given back at the end. Which device it is, and how much memory it may
 * use, follows from the length of the input, so that any ONNX file is one. */
#include "fuzz.h"
#include "stub_opencl.h"

#include <octet/octet.h>
#include <string.h>

enum { MOST_PORTS = 16, MOST_RUNS = 256 };

/* Devices keep programs: a new one now and then, which shows too that nothing of the old is left. */
static octet_context *open_context(unsigned which)
{
    static octet_context *contexts[STUB_OPENCL_DEVICES];
    static unsigned runs;
    if (++runs % MOST_RUNS == 0) {
        for (unsigned i = 0; i < STUB_OPENCL_DEVICES; i++) {
            octet_context_destroy(contexts[i]);
            contexts[i] = NULL;
        }
        FUZZ_MUST(stub_opencl_live() == 0);
    }
    if (!contexts[which]) {
        char device[8];
        octet_context_desc desc;
        OCTET_INIT(desc);
        snprintf(device, sizeof device, "%u", which);
        desc.device = device;
        desc.cache_dir = "";
        FUZZ_MUST(octet_context_create(&desc, &contexts[which]) == OCTET_OK);
    }
    return contexts[which];
}

/* Zeros for every input that is small, 1 for dimensions that are open. */
static size_t make_inputs(const octet_model *model, octet_tensor *tensors)
{
    size_t count = octet_model_input_count(model);
    for (size_t i = 0; i < count && i < MOST_PORTS; i++) {
        octet_value_info info;
        OCTET_INIT(info);
        FUZZ_MUST(octet_model_input(model, i, &info) == OCTET_OK);
        tensors[i] = (octet_tensor){.dtype = info.dtype, .rank = info.rank < 0 ? 0 : info.rank};
        for (int d = 0; d < tensors[i].rank; d++)
            tensors[i].dims[d] = info.dims[d] < 0 ? 1 : info.dims[d];
    }
    for (size_t i = 0; i < count && i < MOST_PORTS; i++) {
        if (octet_tensor_bytes(&tensors[i]) > 1 << 20 || octet_tensor_alloc(&tensors[i]) != OCTET_OK)
            return MOST_PORTS + 1;
        memset(tensors[i].data, 0, tensors[i].data_bytes);
    }
    return count;
}

static void run(octet_model *model, octet_session *session)
{
    octet_tensor in[MOST_PORTS] = {0}, out[MOST_PORTS] = {0};
    size_t inputs = make_inputs(model, in), outputs = octet_model_output_count(model);
    if (inputs <= MOST_PORTS && outputs <= MOST_PORTS)
        (void)octet_session_run(session, in, inputs, out, outputs);
    for (size_t i = 0; i < MOST_PORTS; i++) {
        octet_tensor_free(&in[i]);
        octet_tensor_free(&out[i]);
    }
}

static void inspect(octet_model *model)
{
    octet_inspection *inspection = NULL;
    if (octet_inspection_create(model, NULL, &inspection) == OCTET_OK) {
        for (size_t i = 0; i < octet_inspection_node_count(inspection); i++) {
            octet_node_info n;
            OCTET_INIT(n);
            FUZZ_MUST(octet_inspection_node(inspection, i, &n) == OCTET_OK);
        }
    }
    octet_inspection_destroy(inspection);
}

static void work(octet_model *model, size_t size)
{
    octet_session_desc desc;
    octet_session_info info;
    octet_session *session = NULL;
    OCTET_INIT(desc);
    OCTET_INIT(info);
    inspect(model);
    octet_status planned = octet_model_plan(model, &desc, &info);
    if (planned == OCTET_OK && size / STUB_OPENCL_DEVICES % 2 && info.device_bytes)
        desc.memory_limit = info.device_bytes - 1;
    octet_status made = octet_session_create(model, &desc, &session);
    if (made == OCTET_OK)
        run(model, session);
    FUZZ_MUST(made != OCTET_INTERNAL && planned != OCTET_INTERNAL);
    octet_session_destroy(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    octet_context *context = open_context((unsigned)(size % STUB_OPENCL_DEVICES));
    octet_model *model = NULL;
    octet_status status = octet_model_load(context, fuzz_file("model.onnx", data, size), NULL, &model);
    FUZZ_MUST(status != OCTET_INTERNAL);
    if (status == OCTET_OK)
        work(model, size);
    octet_model_destroy(model);
    return 0;
}
