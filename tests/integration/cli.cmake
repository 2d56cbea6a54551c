# SPDX-License-Identifier: Apache-2.0
add_test(NAME cli_test
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli_test.sh ${PROJECT_BINARY_DIR})
set_tests_properties(cli_test PROPERTIES LABELS integration TIMEOUT 180)
add_test(NAME docs_test
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/docs_test.sh ${PROJECT_BINARY_DIR})
set_tests_properties(docs_test PROPERTIES LABELS integration TIMEOUT 120)
add_test(NAME account_test
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/account_test.sh ${PROJECT_BINARY_DIR})
set_tests_properties(account_test PROPERTIES LABELS integration TIMEOUT 600)
add_test(NAME selfsigned_test
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/selfsigned_test.sh ${PROJECT_BINARY_DIR})
set_tests_properties(selfsigned_test PROPERTIES LABELS integration TIMEOUT 600)
add_test(NAME econtract_test
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/econtract_test.sh ${PROJECT_BINARY_DIR})
set_tests_properties(econtract_test PROPERTIES LABELS integration TIMEOUT 180)
add_test(NAME sign_test
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/sign_test.sh ${PROJECT_BINARY_DIR})
set_tests_properties(sign_test PROPERTIES LABELS integration TIMEOUT 300)
add_test(NAME sign_kill_test
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/sign_kill_test.sh ${PROJECT_BINARY_DIR})
set_tests_properties(sign_kill_test PROPERTIES LABELS integration TIMEOUT 300)
add_test(NAME distrust_test
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/distrust_test.sh ${PROJECT_BINARY_DIR})
set_tests_properties(distrust_test PROPERTIES LABELS integration TIMEOUT 120)
add_test(NAME account_twins_test
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/account_twins_test.sh ${PROJECT_BINARY_DIR})
set_tests_properties(account_twins_test PROPERTIES LABELS integration TIMEOUT 120)
