# shellcheck shell=bash disable=SC2034
# The Debian packages that Octet uses: the one list, sourced by scripts/setup.

# To build the library and the command, and to run them on the CPU.
packages_build=(gcc libc6-dev make cmake pkg-config ocl-icd-opencl-dev pocl-opencl-icd libclblast-dev libnanopb-dev nanopb
    protobuf-compiler libonnx-dev libpng-dev libjpeg-dev)

# What the tests cannot do without.
packages_test=(libcmocka-dev clang)

# What the tests use where it is there, and skip with a word where it is not.
packages_extra=(ninja-build ccache g++ clang-format clang-tidy cppcheck valgrind shellcheck libonnx-testdata oclgrind mesa-opencl-icd
    clang-15 libclc-15)

# To fetch networks from PyPI and to draw the page that scripts/demo ocr reads.
packages_ocr=(python3 python3-venv fonts-dejavu-core)
