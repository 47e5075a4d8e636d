# Generates the nanopb decoder of onnx.proto (from libonnx-dev) into the build folder and adds it to the onnx layer.
set(OCTET_ONNX_PB "" CACHE PATH "A folder with onnx.pb.c and onnx.pb.h of another build, for machines without protoc; else they are generated")
set(OCTET_NANOPB_SOURCE "" CACHE PATH "A folder with nanopb's pb_*.c to compile instead of linking the library (the memory sanitizer's)")
find_path(NANOPB_INCLUDE_DIR pb_decode.h REQUIRED)
if(OCTET_NANOPB_SOURCE)
    set(NANOPB_LIBRARY "")
    set(nanopb_sources ${OCTET_NANOPB_SOURCE}/pb_common.c ${OCTET_NANOPB_SOURCE}/pb_decode.c ${OCTET_NANOPB_SOURCE}/pb_encode.c)
    target_sources(octet_onnx PRIVATE ${nanopb_sources})
    set_source_files_properties(${nanopb_sources} PROPERTIES COMPILE_OPTIONS "-w")
else()
    find_library(NANOPB_LIBRARY NAMES protobuf-nanopb REQUIRED)
endif()

if(OCTET_ONNX_PB)
    set(onnx_pb_dir ${OCTET_ONNX_PB})
else()
    find_program(PROTOC protoc REQUIRED)
    find_program(NANOPB_PLUGIN protoc-gen-nanopb REQUIRED)
    find_path(ONNX_PROTO_DIR NAMES onnx.proto PATH_SUFFIXES onnx REQUIRED)
    set(onnx_pb_dir ${PROJECT_BINARY_DIR}/onnx_pb)
    file(MAKE_DIRECTORY ${onnx_pb_dir})
    add_custom_command(OUTPUT ${onnx_pb_dir}/onnx.pb.c ${onnx_pb_dir}/onnx.pb.h
        COMMAND ${PROTOC} --plugin=protoc-gen-nanopb=${NANOPB_PLUGIN} -I${ONNX_PROTO_DIR}
                --nanopb_out=-f${PROJECT_SOURCE_DIR}/src/onnx/onnx.options:${onnx_pb_dir} ${ONNX_PROTO_DIR}/onnx.proto
        DEPENDS ${ONNX_PROTO_DIR}/onnx.proto src/onnx/onnx.options
        COMMENT "Generating the ONNX decoder")
endif()
target_sources(octet_onnx PRIVATE ${onnx_pb_dir}/onnx.pb.c ${onnx_pb_dir}/onnx.pb.h)
target_include_directories(octet_onnx SYSTEM PRIVATE ${onnx_pb_dir} ${NANOPB_INCLUDE_DIR})
# Debian's library is built with malloc; the flag selects the matching declarations.
target_compile_definitions(octet_onnx PRIVATE PB_ENABLE_MALLOC=1)
set_source_files_properties(${onnx_pb_dir}/onnx.pb.c PROPERTIES
    COMPILE_OPTIONS "-w;-include;${PROJECT_SOURCE_DIR}/src/onnx/onnx_wire.h")
