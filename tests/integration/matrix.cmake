# SPDX-License-Identifier: Apache-2.0
# Every fault at every endpoint (fault-matrix.md), and what breaks below HTTP.
add_executable(test_matrix
    test_matrix.c matrix_columns.c matrix_econtract.c matrix_print.c matrix_rows.c matrix_stage.c matrix_tool.c
    ${PROJECT_SOURCE_DIR}/tests/lib/cheap.c)
target_compile_definitions(test_matrix PRIVATE
    SMARTCA_TOOL="$<TARGET_FILE:smartca>"
    SMARTCA_MATRIX="${CMAKE_CURRENT_SOURCE_DIR}/fault-matrix.md")
target_link_libraries(test_matrix PRIVATE integration_harness sca_econtract sca_config)
# tests/lib/cheap.c
target_link_options(test_matrix PRIVATE -Wl,--wrap=crypt_stretch)
add_dependencies(test_matrix smartca smartca-emulator smartca-pkcs11)
add_test(NAME test_matrix COMMAND test_matrix)
set_tests_properties(test_matrix PROPERTIES LABELS integration TIMEOUT 180)

add_executable(test_network test_network.c relay.c ${PROJECT_SOURCE_DIR}/tests/unit/http_server.c)
target_link_libraries(test_network PRIVATE integration_harness PkgConfig::SSL)
add_test(NAME network_test COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/network_test.sh ${PROJECT_BINARY_DIR})
set_tests_properties(network_test PROPERTIES LABELS integration TIMEOUT 180 SKIP_RETURN_CODE 77)
