# SPDX-License-Identifier: Apache-2.0
# The forward backend over a module that misbehaves as its test wants.
add_library(odd_module MODULE odd_module.c)
target_include_directories(odd_module PRIVATE ${PROJECT_SOURCE_DIR})
target_include_directories(odd_module SYSTEM PRIVATE ${P11KIT_INCLUDE_DIRS})
foreach(test test_foreign test_foreign_doubt test_foreign_events test_foreign_fork test_foreign_login test_foreign_odd test_foreign_threads)
    add_executable(${test} ${test}.c foreign_stage.c child.c)
    target_compile_definitions(${test} PRIVATE ODD_MODULE="$<TARGET_FILE:odd_module>"
        P11_KIT_PROXY="${P11KIT_LIBDIR}/p11-kit-proxy.so")
    target_link_libraries(${test} PRIVATE module_token module_backend test_folder PkgConfig::CMOCKA)
    add_dependencies(${test} odd_module)
    add_test(NAME ${test} COMMAND ${test})
    set_tests_properties(${test} PROPERTIES LABELS module TIMEOUT 120)
endforeach()
target_link_options(test_foreign_odd PRIVATE -Wl,--wrap=inner_watch_exit)
target_link_options(test_foreign_doubt PRIVATE -Wl,--wrap=clock_system)
