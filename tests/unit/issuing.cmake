# SPDX-License-Identifier: Apache-2.0
foreach(name test_account_look test_account_title test_csv test_day test_form test_x509_build)
    smartca_unit_test(${name} sca_issuing)
endforeach()
