# SPDX-License-Identifier: Apache-2.0
add_executable(keystore_tool keystore_tool.c)
target_link_libraries(keystore_tool PRIVATE sca_keystore)
add_test(NAME keystore_kill_test
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/keystore_kill_test.sh $<TARGET_FILE:keystore_tool>)
set_tests_properties(keystore_kill_test PROPERTIES LABELS integration TIMEOUT 300)
