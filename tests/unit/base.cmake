# SPDX-License-Identifier: Apache-2.0
foreach(name test_bytes test_secret test_lock test_call test_log test_file test_library_file test_crypto test_identity test_wording)
    smartca_unit_test(${name} sca_base)
endforeach()
