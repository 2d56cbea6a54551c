# SPDX-License-Identifier: Apache-2.0
foreach(test test_catalogue test_catalogue_damage test_catalogue_local test_catalogue_view)
    smartca_unit_test(${test} sca_catalogue)
    target_sources(${test} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/catalogue_stage.c)
endforeach()
foreach(test test_certificate test_certificate_key)
    smartca_unit_test(${test} sca_catalogue)
    target_sources(${test} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/certificate_stage.c)
endforeach()
