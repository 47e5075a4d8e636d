/* The `octet` command: the table of subcommands and where each run starts. */
#include "cli.h"
#include "driver_cache.h"
#include "used_files.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const cli_command cli_commands[] = {
    {"devices", FOR_DEVICES, "", "What OpenCL devices there are, and what int8 paths they have",
     "Lists every device of every driver. With --device it shows the one that this selects. With --check it "
     "tries\n"
     "every kernel that names instructions of a processor beside the reference: one that a driver gets wrong "
     "is named,\n"
     "is not used from then on, and makes the exit status 1. What a network uses is tried before it first "
     "runs, too.",
     0, 0, cli_devices},
    {"inspect", FOR_INSPECT, "MODEL", "Each node: int8, float or refused, and the bytes of its weights",
     "MODEL is an ONNX file. No device is needed.", 1, 1, cli_inspect},
    {"run", FOR_RUN, "MODEL [OPTION]...", "Run a model once on inputs from files",
     "Every input of the model needs --input, or --image for the one that is left. A picture is averaged "
     "down to the\n"
     "input's size in the order [N, C, H, W], grey or, for 3 channels, RGB: 0..255 for a u8 input, 0..1 for "
     "f32.\n"
     "Without --output the outputs are summarized.",
     1, 1, cli_run},
    {"verify", FOR_VERIFY, "DIR...", "ONNX backend tests: pass, fail or unsupported, and the totals",
     "DIR is a test (model.onnx with test_data_set_N/input_I.pb and output_I.pb), or a folder with tests "
     "anywhere\n"
     "beneath it. Integers must be equal, floats within 0.1%. The exit status is 0 when none failed.",
     1, -1, cli_verify},
    {"bench", FOR_BENCH, "MODEL | --gemm MxNxK | --shapes FILE", "Latency, operations a second, bytes moved",
     "Measures a model, or products C[M][N] = A[M][K] x B[K][N] with resident B. TYPES are those of A and B "
     "(u8, s8)\n"
     "and C (s32, u8, s8, f32), as in u8s8s8. FILE has one MxNxK[:TYPES] a line; # starts a comment. Data is "
     "random\n"
     "over the whole range; medians count.",
     0, 1, cli_bench},
    {"tune", FOR_TUNE, "MODEL | --gemm MxNxK | --shapes FILE", "Measure which kernels suit this device",
     "Runs every kernel variant that may serve each product and convolution, drops those whose result is not "
     "the\n"
     "reference's, times the others, and keeps the fastest in a file of the user's cache folder, which every "
     "later\n"
     "start on this device reads. Results stay the same bytes. Let nothing else run meanwhile.",
     0, 1, cli_tune},
    {"quantize", FOR_QUANTIZE, "FLOAT.onnx --calibrate DIR -o INT8.onnx",
     "An int8 network from a float one and samples of its input",
     "The network runs in float on the samples, on the device; what its tensors hold decides their scales. "
     "The "
     "result\n"
     "has QuantizeLinear and DequantizeLinear pairs, as ONNX Runtime makes and reads them.",
     1, 1, cli_quantize},
    {"compare", FOR_COMPARE, "A.onnx B.onnx --inputs DIR", "How far apart two models are on the same inputs",
     "For each output: agreement of the highest value in each row, signal to noise, cosine, the largest "
     "error.",
     2, 2, cli_compare},
    {NULL, 0, NULL, NULL, NULL, 0, 0, NULL},
};

static const cli_command *find_command(const char *name)
{
    for (const cli_command *c = cli_commands; c->name; c++) {
        if (strcmp(c->name, name) == 0)
            return c;
    }
    return NULL;
}

static int print_version(void)
{
    printf("octet %s\n", octet_version());
    return EXIT_DONE;
}

static int run_command(const cli_command *command, int argc, char **argv)
{
    cli_options options;
    int status = cli_parse(command, argc, argv, &options);
    for (size_t i = 0; status == EXIT_DONE && i < options.operands.count; i++)
        status = input_note(options.operands.items[i]); /* no output takes the place of a model */
    if (status == EXIT_DONE && options.help)
        cli_print_help(command);
    else if (status == EXIT_DONE && options.version)
        print_version();
    else if (status == EXIT_DONE) {
        driver_cache_prepare();
        status = command->run(&options);
    }
    cli_options_free(&options);
    used_files_forget();
    return status;
}

static int start(int argc, char **argv)
{
    if (argc < 2)
        return cli_usage("what shall it do? octet --help lists the commands");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        cli_print_help(NULL);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0)
        return print_version();
    const cli_command *command = find_command(argv[1]);
    if (!command)
        return cli_usage("there is no command \"%s\"; octet --help lists them", argv[1]);
    return run_command(command, argc - 2, argv + 2);
}

/* What is opened next would take the number of one that is closed, and get what was meant for that. */
static void keep_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDONLY); /* to write to it is an error still */
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    keep_standard_streams();
    signal(SIGXFSZ, SIG_IGN); /* a file larger than the limit is an error like a full disk */
    int status = start(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout))
        return cli_error("standard output cannot be written");
    return status;
}
