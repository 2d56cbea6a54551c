# SPDX-License-Identifier: Apache-2.0
# The real backends over a state folder, without the token layer.
foreach(test test_live_accounts test_local_backend test_local_body test_local_objects test_local_orphans test_local_pins test_local_races
        test_smartca_check test_smartca_login test_smartca_pins test_smartca_view)
    smartca_unit_test(${test} module_backend)
    target_sources(${test} PRIVATE
        ${CMAKE_CURRENT_LIST_DIR}/backend_stage.c
        ${PROJECT_SOURCE_DIR}/module/backend/attributes.c
        ${PROJECT_SOURCE_DIR}/module/backend/token_list.c)
endforeach()
target_sources(test_live_accounts PRIVATE ${CMAKE_CURRENT_LIST_DIR}/catalogue_stage.c)
foreach(test test_smartca_login test_smartca_pins)
    target_sources(${test} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/login_stage.c)
endforeach()
# At the real cost these would take minutes.
foreach(test test_local_backend test_local_objects test_local_orphans test_local_pins test_local_races)
    target_sources(${test} PRIVATE ${PROJECT_SOURCE_DIR}/tests/lib/cheap.c)
    target_link_options(${test} PRIVATE -Wl,--wrap=crypt_stretch)
endforeach()
