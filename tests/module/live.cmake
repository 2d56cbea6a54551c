# SPDX-License-Identifier: Apache-2.0
# The module in one piece, its real backends too, so that sanitizers see all of it.
foreach(test test_live test_live_threads)
    add_executable(${test} ${test}.c live_stage.c)
    target_link_libraries(${test} PRIVATE module_token module_backend test_folder PkgConfig::CMOCKA)
    add_test(NAME ${test} COMMAND ${test})
    set_tests_properties(${test} PROPERTIES LABELS module TIMEOUT 120)
endforeach()
