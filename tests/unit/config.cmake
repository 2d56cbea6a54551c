# SPDX-License-Identifier: Apache-2.0
foreach(test test_config test_config_damage test_config_econtract test_config_values)
    smartca_unit_test(${test} sca_config)
    target_sources(${test} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/config_stage.c)
endforeach()
target_compile_definitions(test_config_values PRIVATE
    SAMPLE_FILE="${CMAKE_CURRENT_LIST_DIR}/../../conf/smartca-pkcs11.conf.sample")
