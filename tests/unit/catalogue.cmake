# SPDX-License-Identifier: Apache-2.0
smartca_unit_test(test_catalogue sca_catalogue)
smartca_unit_test(test_certificate sca_catalogue)
