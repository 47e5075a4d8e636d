# The layers of the library: a folder of src/ each, with its subfolders, built as one OBJECT library. A layer sees its own headers, the public
# ones, and those of the layers it names, all of which stand above it in this file; tests/layers/check holds its symbols to
# the same. One without OPENCL makes no OpenCL call: where it includes CL/cl.h it finds cmake/no_opencl.

set(OCTET_LAYERS "")
set(OCTET_LAYER_TABLE "")

# A target sees the headers of layers: their folders and those of their families; with ops, the records of the kernels.
function(octet_sees target)
    foreach(layer ${ARGN})
        target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src/${layer})
        file(GLOB families LIST_DIRECTORIES true CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${layer}/*)
        foreach(family ${families})
            if(IS_DIRECTORY ${family})
                target_include_directories(${target} PRIVATE ${family})
            endif()
        endforeach()
        if(layer STREQUAL ops)
            target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/kernels)
        endif()
    endforeach()
endfunction()

function(octet_layer name)
    cmake_parse_arguments(PARSE_ARGV 1 layer "OPENCL" "" "SEES")
    set(root ${PROJECT_SOURCE_DIR}/src/${name})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${root}/*.c)
    add_library(octet_${name} OBJECT ${sources})
    if(layer_OPENCL)
        target_link_libraries(octet_${name} PRIVATE OpenCL::OpenCL)
    else()
        target_include_directories(octet_${name} BEFORE PRIVATE ${PROJECT_SOURCE_DIR}/cmake/no_opencl)
    endif()
    target_include_directories(octet_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include)
    octet_sees(octet_${name} ${name} ${layer_SEES})
    set(OCTET_LAYERS ${OCTET_LAYERS} ${name} PARENT_SCOPE)
    string(JOIN " " line ${name} ${layer_SEES})
    set(OCTET_LAYER_TABLE "${OCTET_LAYER_TABLE}${line}\n" PARENT_SCOPE)
endfunction()

# No OpenCL: what a network is and what is to be done about it, as plain data.
octet_layer(io)
octet_layer(base SEES io)
octet_layer(quant SEES base)
octet_layer(ref SEES base quant)
octet_layer(caps SEES base)
octet_layer(graph SEES base quant)
octet_layer(infer SEES base quant graph)
octet_layer(passes SEES base quant graph infer)
octet_layer(recipe SEES base)
octet_layer(ops SEES base quant ref caps recipe)
octet_layer(lower SEES base quant caps graph infer recipe ops)
octet_layer(memory SEES base recipe)
octet_layer(onnx SEES io base graph)

# OpenCL, and what runs on it.
octet_layer(device OPENCL SEES base caps recipe)
octet_layer(run OPENCL SEES base quant ref caps graph infer passes recipe ops lower memory device)
octet_layer(tune OPENCL SEES base quant ref caps recipe ops memory device run)
octet_layer(session OPENCL SEES base quant caps graph infer passes recipe ops lower memory onnx device run)
octet_layer(quantize OPENCL SEES base quant caps graph infer passes recipe memory onnx device run)
octet_layer(api OPENCL SEES base quant caps graph infer passes recipe ops lower memory onnx device run session tune quantize)

file(WRITE ${PROJECT_BINARY_DIR}/layers.txt "${OCTET_LAYER_TABLE}")
