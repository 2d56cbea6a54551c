# SPDX-License-Identifier: Apache-2.0
smartca_unit_test(test_econtract_answer sca_econtract)
smartca_unit_test(test_econtract_ticket sca_econtract)
smartca_unit_test(test_econtract sca_econtract)
target_sources(test_econtract PRIVATE ${CMAKE_CURRENT_LIST_DIR}/econtract_stage.c)
smartca_unit_test(test_econtract_refused sca_econtract)
target_sources(test_econtract_refused PRIVATE ${CMAKE_CURRENT_LIST_DIR}/econtract_stage.c)
