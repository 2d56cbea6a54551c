# SPDX-License-Identifier: Apache-2.0
foreach(name test_account_look test_account_title test_csv test_day test_form test_x509_build)
    smartca_unit_test(${name} sca_issuing)
endforeach()
smartca_unit_test(test_cms sca_issuing)
foreach(name test_sign_files test_sign_folder test_sign_note test_sign_work)
    smartca_unit_test(${name} sca_signing)
endforeach()
target_link_options(test_sign_folder PRIVATE -Wl,--wrap=readdir)
