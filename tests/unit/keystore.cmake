# SPDX-License-Identifier: Apache-2.0
foreach(test test_keystore test_keystore_crash test_keystore_damage test_keystore_memory test_keystore_names
        test_keystore_pins)
    smartca_unit_test(${test} sca_keystore)
    target_sources(${test} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/keystore_stage.c)
endforeach()
smartca_unit_test(test_keystore_crypt sca_keystore)
target_link_options(test_keystore_names PRIVATE -Wl,--wrap=opendir,--wrap=readdir)
