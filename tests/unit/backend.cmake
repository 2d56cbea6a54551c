# SPDX-License-Identifier: Apache-2.0
# The real backends over a state folder, without the token layer.
foreach(test test_local_backend test_local_body test_local_objects test_local_pins test_local_races)
    smartca_unit_test(${test} module_backend)
    target_sources(${test} PRIVATE
        ${CMAKE_CURRENT_LIST_DIR}/backend_stage.c
        ${PROJECT_SOURCE_DIR}/module/backend/attributes.c
        ${PROJECT_SOURCE_DIR}/module/backend/token_list.c)
endforeach()
