# SPDX-License-Identifier: Apache-2.0
smartca_unit_test(test_json sca_smartca_codec)
smartca_unit_test(test_codec sca_smartca_codec)
smartca_unit_test(test_verdict sca_smartca_codec)
smartca_unit_test(test_result sca_smartca_codec)
