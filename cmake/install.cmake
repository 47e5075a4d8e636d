# What `cmake --install` puts where: libraries, headers, octet.pc, and the package that find_package(octet) reads.
#   find_package(octet)                    octet::octet, the shared library; needs nothing else
#   find_package(octet COMPONENTS static)  octet::octet_static too, with what it links
# Everything installed can be moved as one tree.
include(CMakePackageConfigHelpers)

set(octet_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/octet)

target_compile_definitions(octet_static INTERFACE OCTET_STATIC)
install(TARGETS octet EXPORT octetTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS octet_static EXPORT octetStaticTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/octet DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
if(TARGET octet_cli)
    set_target_properties(octet_cli PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
endif()
foreach(set octetTargets octetStaticTargets)
    install(EXPORT ${set} NAMESPACE octet:: DESTINATION ${octet_cmake_dir})
endforeach()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/octetConfig.cmake.in ${PROJECT_BINARY_DIR}/octetConfig.cmake
    INSTALL_DESTINATION ${octet_cmake_dir} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/octetConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/octetConfig.cmake ${PROJECT_BINARY_DIR}/octetConfigVersion.cmake
    DESTINATION ${octet_cmake_dir})

# octet.pc finds its prefix from its own place. A static link also needs what liboctet.a uses.
set(octet_pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH octet_pc_up /p/${octet_pc_dir} /p)
string(REGEX REPLACE "/$" "" octet_pc_up "${octet_pc_up}")
set(octet_pc_private "-lm -pthread")
if(NANOPB_LIBRARY)
    get_filename_component(nanopb_name "${NANOPB_LIBRARY}" NAME_WE)
    string(REGEX REPLACE "^lib" "-l" nanopb_name "${nanopb_name}")
    string(PREPEND octet_pc_private "${nanopb_name} ")
endif()
if(OCTET_CLBLAST)
    string(PREPEND octet_pc_private "-lclblast ")
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/octet.pc.in ${PROJECT_BINARY_DIR}/octet.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/octet.pc DESTINATION ${octet_pc_dir})
