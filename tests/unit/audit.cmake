# SPDX-License-Identifier: Apache-2.0
foreach(name test_audit test_audit_damage)
    smartca_unit_test(${name} sca_audit)
    target_sources(${name} PRIVATE audit_stage.c)
endforeach()
