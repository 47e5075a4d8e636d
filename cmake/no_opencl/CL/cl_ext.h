#error "this layer makes no OpenCL calls (cmake/layers.cmake): what needs one belongs to device, run or above"
