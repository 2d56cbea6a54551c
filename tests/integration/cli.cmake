# SPDX-License-Identifier: Apache-2.0
# tool_test(NAME SECONDS): NAME_test.sh, for that long at most.
function(tool_test name seconds)
    add_test(NAME ${name}_test
        COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/${name}_test.sh ${PROJECT_BINARY_DIR})
    set_tests_properties(${name}_test PROPERTIES LABELS integration TIMEOUT ${seconds})
endfunction()
tool_test(cli 180)
tool_test(docs 120)
tool_test(account 600)
tool_test(selfsigned 600)
tool_test(econtract 180)
tool_test(sign 300)
tool_test(sign_kill 300)
tool_test(distrust 120)
tool_test(account_twins 120)
# What is killed there is no faster for a sanitizer's sake; by hand it runs on such a build, too.
if(NOT SMARTCA_SANITIZE)
    tool_test(crash 180)
endif()
