# Writes OUT, a C file with every kernel source under DIR as bytes: table of {path, bytes, size}.
# Run as: cmake -DDIR=... -DOUT=... -P embed_kernels.cmake
file(GLOB_RECURSE files RELATIVE ${DIR} ${DIR}/*.cl ${DIR}/*.clh ${DIR}/*.txt)
list(SORT files)
set(arrays "")
set(rows "")
set(i 0)
foreach(f ${files})
    file(READ ${DIR}/${f} hex HEX)
    string(LENGTH "${hex}" digits)
    math(EXPR size "${digits} / 2")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "((0x..,){32})" "\\1\n" bytes "${bytes}")
    string(APPEND arrays "static const unsigned char source_${i}[] = {\n${bytes}0};\n")
    string(APPEND rows "    {\"${f}\", (const char *)source_${i}, ${size}},\n")
    math(EXPR i "${i} + 1")
endforeach()
file(WRITE ${OUT} "/* Made by cmake/embed_kernels.cmake. */\n#include \"kernel_sources.h\"\n${arrays}
const oct_kernel_source oct_kernel_sources[] = {\n${rows}};\nconst size_t oct_kernel_source_count = ${i};\n")
