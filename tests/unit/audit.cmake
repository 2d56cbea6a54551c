# SPDX-License-Identifier: Apache-2.0
foreach(name test_audit test_audit_batch test_audit_damage test_audit_end test_audit_files)
    smartca_unit_test(${name} sca_audit)
    target_sources(${name} PRIVATE audit_stage.c)
endforeach()
target_link_options(test_audit_files PRIVATE -Wl,--wrap=readdir)
