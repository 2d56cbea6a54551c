# SPDX-License-Identifier: Apache-2.0
# Not linked with OpenSSL: what is tested is the order in which things come and go.
add_executable(test_exit test_exit.c)
target_include_directories(test_exit PRIVATE ${PROJECT_SOURCE_DIR})
target_include_directories(test_exit SYSTEM PRIVATE ${P11KIT_INCLUDE_DIRS})
target_compile_definitions(test_exit PRIVATE SMARTCA_MODULE="$<TARGET_FILE:smartca-pkcs11>")
target_link_libraries(test_exit PRIVATE test_folder PkgConfig::CMOCKA ${CMAKE_DL_LIBS})
add_dependencies(test_exit smartca-pkcs11)
add_test(NAME test_exit COMMAND test_exit)
set_tests_properties(test_exit PROPERTIES LABELS integration TIMEOUT 60)
