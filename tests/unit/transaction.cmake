# SPDX-License-Identifier: Apache-2.0
foreach(name test_journal test_journal_shared test_journal_turns)
    smartca_unit_test(${name} sca_smartca)
    target_sources(${name} PRIVATE journal_stage.c)
endforeach()
smartca_unit_test(test_confirm sca_smartca)
foreach(name test_transaction test_pending test_polling test_join test_crash test_client test_second_factor test_gather
    test_permission test_progress)
    smartca_unit_test(${name} sca_smartca)
    target_sources(${name} PRIVATE story.c)
endforeach()
foreach(name test_gather test_progress)
    target_sources(${name} PRIVATE tickets.c)
endforeach()
