# SPDX-License-Identifier: Apache-2.0
smartca_unit_test(test_vault sca_vault)
smartca_unit_test(test_totp sca_smartca)
